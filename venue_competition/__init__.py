"""Competitions: rules in one file, rounds on a simulated or a live venue, results that anybody can
compute again from the archive of each round.
"""
