"""`python -m venue_cli`: what `./venue` becomes once its environment is there."""

import sys

from venue_cli.console import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
