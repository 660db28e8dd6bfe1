"""Where an app's imports are found: in its own directory first.

The worker library leaves ``sys.path`` to whoever drives it. An app that is a changed copy of this project brings its
own ``claims``; the one that the harness has loaded from beside itself must not answer for it.
"""

import sys
from pathlib import Path
from types import ModuleType


def put_first_on_path(directory: Path) -> None:
    """Make imports find the app's own modules, also where the harness has loaded namesakes from beside itself."""
    sys.path.insert(0, str(directory))
    beside_harness = Path(__file__).parents[2]
    if directory == beside_harness:
        return
    stale = {
        name
        for name, module in sys.modules.items()
        if name != "selftest" and _home(module) == beside_harness and _has_module(directory, name)
    }
    for name in list(sys.modules):
        if name.partition(".")[0] in stale:
            del sys.modules[name]


def _home(module: ModuleType) -> Path | None:
    """Return the directory from which a top-level module was imported."""
    file = getattr(module, "__file__", None)
    if file is None:
        return None
    path = Path(file)
    return path.parents[1] if path.name == "__init__.py" else path.parent


def _has_module(directory: Path, name: str) -> bool:
    return (directory / name / "__init__.py").is_file() or (directory / f"{name}.py").is_file()
