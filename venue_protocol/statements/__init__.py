"""Statements of account: pure, since the feed, the console and the audit make the same."""
