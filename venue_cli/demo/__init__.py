"""`./venue demo`: bots on a running venue, a live standing, and proof at the end that nothing was
lost.

run(venue, seconds, seed) -> exit code
"""

from venue_cli.demo.show import run

__all__ = ["run"]
