"""The words of the venue: money, securities, commands, events, refusals, topology, codec.

Pure: no I/O, no clock, no thread, no dice. Every other package may import this one.
"""
