"""The whole venue in one thread, under faults drawn from a seed: the same services on a bus and a
store in memory.

`schedule.run` plays one schedule and raises Violation when a promise is broken; the same seed gives
the same run.
"""
