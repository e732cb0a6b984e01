"""`python -m sandbox.supervisor --dir DIR`: watches over the processes of a sandbox, until SIGTERM."""

import argparse
import logging
import signal
import threading
from pathlib import Path

from sandbox.layout import Layout
from sandbox.supervisor.watch import Watch

_LOOK_S = 0.5


def main() -> None:
    """Check all processes twice a second; a failed check must not end the loop."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.supervisor", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="the sandbox's directory")
    layout = Layout.load(parser.parse_args().dir)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    watch = Watch(layout)
    said = ""
    while not over.wait(_LOOK_S):
        try:
            watch.look()
        except Exception as error:  # e.g. a full disk
            if said != (said := repr(error)):
                logging.getLogger("supervisor").exception("a check of the processes failed")


if __name__ == "__main__":
    main()
