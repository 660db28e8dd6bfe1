"""The pictures of the report, drawn by matplotlib. Each is a function of figures; none holds a text of a run.

Importing this imports matplotlib, which takes half a second, so only a page that has a picture does. Matplotlib reads
and writes nothing of the user's while it is imported: no settings, no cache, no fonts but its own.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _nothing_of_the_users() -> Iterator[None]:
    """Let matplotlib look for its settings, caches and fonts in an empty directory."""
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
    import matplotlib.figure  # noqa: F401 - first of all here, so that the modules of this package find it imported
