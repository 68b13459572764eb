"""Recorded order flow, played through the real door of a running venue."""
