"""`./venue` begins here: an early Ctrl-C ends without a traceback."""

import sys

if __name__ == "__main__":
    try:
        from venue_launcher.bootstrap import main

        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
