"""The figures of the report, drawn by matplotlib. Each is a function of numbers; none contains text of a run.

This package imports matplotlib, which takes half a second, so only a page with a figure imports it. While matplotlib is
imported it reads and writes no file of the user: no settings, no cache, no fonts but its own.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _nothing_of_the_users() -> Iterator[None]:
    """Direct matplotlib to an empty directory for its settings, caches and fonts."""
    with tempfile.TemporaryDirectory() as empty:
        wanted = {"MPLCONFIGDIR": empty, "MPL_IGNORE_SYSTEM_FONTS": "1", "MATPLOTLIBRC": "", "MPLBACKEND": ""}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


with _nothing_of_the_users():
    import matplotlib.figure  # noqa: F401 - first, so that the modules of this package find it imported
