"""Benchmarks: each prints what it measured, on which machine, and a ratio to a baseline of the same
run.
"""
