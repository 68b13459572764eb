"""How strangers become clients: join codes, with which they make accounts of their own.

A part of the clearinghouse, which makes the accounts; knows it by `ports` alone. Promises: traders
and nothing else, never more than a code's places, and nothing told to who has no code. Begin with
`desk`.
"""
