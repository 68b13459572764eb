"""The load generator: open loop, through the public door. Times count from when a request was due,
not when it left.
"""
