"""What puts a real venue to the test: benchmarks, load, recorded order flow and the demo.

May import the launcher, the audit and the simulation; nothing of the venue imports it.
Promises: a figure comes with its conditions, a benchmark of the whole venue ends with an audit.
Begin with `load`, which sends orders; `bench` measures with it, `recorded_flow` replays a day.
"""
