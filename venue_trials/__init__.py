"""What puts a real venue to the test: benchmarks, load, chaos and recorded order flow.

May import the launcher, the audit and the simulation; nothing of the venue imports it.
Promises: a figure comes with its conditions, a campaign ends with an audit.
Begin with `load`, which sends orders; `bench` measures with it, `chaos` breaks things beneath it.
"""
