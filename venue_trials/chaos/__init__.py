"""`./venue chaos`: traders trade on a private venue while its parts are killed, stopped, starved
and lied to.

What happens when is drawn from a seed (`timetable`), the faults are real (`service_faults`,
`broker_faults`, `postgres_faults`), and so is the proof afterwards (`verdict`): nothing lost,
nothing twice, no cent adrift.
"""
