"""Simulated markets as environments for learners: Gymnasium for one, PettingZoo for several.

Their packages are an extra with a lock of its own (`environments.lock`); nothing else needs them.
`./venue test environments` installs them and runs their own checks.
"""
