"""`./venue chaos`: traders trade on a private venue while faults strike it.

May import the audit, the simulation and the launcher; neither trials nor competitions.
Promises: a seed draws the timetable, each fault is a real one, and a campaign ends with a proof:
nothing lost, nothing twice, no cent adrift.
Begin with `campaign`; `faults` lists the kinds of faults, `verdict` is the proof.
"""
