"""``python -m selftest``, and the console script ``entra-selftest``.

Until the version is checked, this is read by any Python 3: the syntax is old, and nothing else is imported.
"""

import sys

if sys.version_info < (3, 13):  # noqa: UP036 - a checkout is run by whatever Python is there
    sys.stderr.write("selftest needs Python 3.13 or newer; this is %d.%d.\n" % sys.version_info[:2])  # noqa: UP031 - old
    sys.stderr.write("In a checkout type: make .venv && .venv/bin/python -m selftest\n")
    sys.exit(2)

from selftest.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
