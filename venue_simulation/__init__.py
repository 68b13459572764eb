"""The whole venue in one thread, on memory, twice.

`schedule.run` plays a schedule of faults, drawn from a seed, on the services with a bus and a store
in memory, and raises Violation when a promise is broken. `market_run.run_market` plays a market:
bots trade in simulated time on the same desk, engine, settlement and record, without faults.
Both are functions of their plan: the same seed gives the same run.
"""
