"""What the app's reader says of the app's settings, asked in the app's Python.

The tool has no rules of its own for settings: an app may be of another version, or have a provider of its owner's.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from selftest.base.app_folder import AppFolder, app_environment
from selftest.base.setting_names import PREFIXES
from selftest.play.misspelt_settings import nearest_setting
from selftest.tenant.doctor.evidence.settings import SettingsVerdict

_PROGRAM: Final = Path(__file__).with_name("read_in_app.py")
#: The module of the app that reads settings and creates the provider.
_READER: Final = Path("claims", "provider_module.py")
_WAY_ON: Final = "name the app's Python with --app-python"
_TIMEOUT_S: Final = 30
_MAX_BYTES: Final = 65_536


class NotJudged(Exception):
    """The reader could not be asked; the message is the reason."""


def has_reader(app: AppFolder) -> bool:
    """Whether the folder holds an app whose reader can be asked."""
    return (app.directory / _READER).is_file()


def judge_settings(app: AppFolder, settings: Mapping[str, str]) -> SettingsVerdict:
    """Ask the app's reader.

    Raises:
        NotJudged: The interpreter cannot be run or cannot import the app, or it takes longer than 30 seconds.
    """
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603 - the interpreter that the caller named, and a program of ours
                [app.python, "-P", _PROGRAM, app.directory],
                input=json.dumps(dict(settings)).encode(),
                stdout=output,
                stderr=subprocess.PIPE,
                cwd=app.directory,
                env=app_environment(),
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NotJudged(f"the app's reader took longer than {_TIMEOUT_S} s") from error
        except OSError as error:
            raise NotJudged(f"{app.python} cannot be run: {error.strerror}; {_WAY_ON}") from error
        output.seek(0)
        written = output.read(_MAX_BYTES)
    try:
        verdict = json.loads(written)
        problems = dict.fromkeys((*verdict["problems"], *_misspelt(app, settings)))
        return SettingsVerdict(tuple(problems), tuple(verdict["warnings"]))
    except (ValueError, TypeError, KeyError) as error:
        raise NotJudged(f"{app.python} cannot read the app's settings{_reason(done.stderr)}; {_WAY_ON}") from error


def _misspelt(app: AppFolder, names: Iterable[str]) -> Iterator[str]:
    """Yield what the reader does not see: names whose beginning is misspelt, so that they look like somebody else's."""
    for name in names:
        near = None if name.startswith(PREFIXES) else nearest_setting(app.directory, name)
        if near is not None:
            yield f"{name} is set, and no such setting is known: it must be {near}, or be removed"


def _reason(written: bytes) -> str:
    """Return the kind of the exception that ended the program; of a missing module its name, too."""
    last = written.decode("utf-8", "replace").strip().rpartition("\n")[2]
    kind, _, message = last.partition(": ")
    if not kind.endswith(("Error", "Exception")) or " " in kind:
        return ""
    # Any other message, and what the app prints, may quote a setting and so a secret.
    return f" ({last[:200]})" if kind == "ModuleNotFoundError" and message else f" ({kind[:100]})"
