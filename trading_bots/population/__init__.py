"""The default population: the traders that make a market worth trading in.

Each is an outsider with an account of its own, like any other bot. `default_population` says who
they are, `parameters` holds every number with its source.
"""
