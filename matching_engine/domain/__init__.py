"""The pure core: books, matching, and the state that a snapshot carries. No I/O, no clock, no
dice.
"""
