"""The gateway's threads: commits, timers, the schedule of phases, and how far the others are."""
