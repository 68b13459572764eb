"""`python -m venue_cli`: what `./venue` becomes once its environment is there."""

import sys

if __name__ == "__main__":
    try:
        from venue_cli.console import main

        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
