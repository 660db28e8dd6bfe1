"""Prints what an app's reader says of the settings on standard input; the app's Python runs it as a file."""

import contextlib
import importlib
import json
import sys
from pathlib import Path


def main() -> None:
    """Print ``{"problems": […], "warnings": […]}``."""
    folder, results = Path(sys.argv[1]), sys.stdout
    # The app first, then its packages where it is a package, as in Azure.
    sys.path[:0] = [str(folder), str(folder / ".python_packages" / "lib" / "site-packages")]
    with contextlib.redirect_stdout(sys.stderr):
        errors = importlib.import_module("claims.errors")
        reader = importlib.import_module("claims.provider_module")
        try:
            settings, _ = reader.configure(json.load(sys.stdin))
            verdict = {"problems": [], "warnings": list(settings.warnings)}
        except errors.SettingsError as error:
            verdict = {"problems": list(error.problems), "warnings": []}
    json.dump(verdict, results)


if __name__ == "__main__":
    main()
