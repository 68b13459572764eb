"""The console: `./venue up | demo | test | …`. Starts and watches the services and what they stand
on.

`bootstrap` and `state_folder` run before the environment exists: they import the standard library
alone.
"""
