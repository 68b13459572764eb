"""The generator as a process of its own: a plan in a file, the result on standard output."""

import gc
import sys
from pathlib import Path

import msgspec

from venue_trials.load import generator
from venue_trials.load.plan import LoadPlan


def main(path: str) -> int:
    """Run the plan in `path`."""
    plan = msgspec.json.decode(Path(path).read_bytes(), type=LoadPlan)
    # Nothing here forms cycles; a full collection would be lateness.
    gc.disable()
    sys.stdout.buffer.write(msgspec.json.encode(generator.run(plan)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
