"""The settings of an app in a file, in one of the forms in which people have them.

========================  ==========================================================================================
form                      comes from
========================  ==========================================================================================
``{"Values": {…}}``       ``local.settings.json``
``[{"name", "value"}…]``  ``az functionapp config appsettings list``
``{"NAME": "value"}``     a plain object
``NAME="value"`` lines    ``.azure/<environment>/.env`` of the Azure Developer CLI, and any other .env
========================  ==========================================================================================
"""

import json
from pathlib import Path
from typing import Any, Final

from selftest.base.bounded_file import FileError, read_text

LOCAL_SETTINGS: Final = Path("local.settings.json")
#: The settings of an app take some kilobytes; App Service allows no more than this either.
_MAX_BYTES: Final = 1024 * 1024


def parse_settings(path: Path) -> dict[str, str]:
    """Read a file of settings in any of the forms of this module.

    Raises:
        FileError: It cannot be read or is of none of them; the message shows no value.
    """
    text = read_text(path, _MAX_BYTES)
    if text.lstrip().startswith(("{", "[")):
        try:
            return _of_json(json.loads(text), path)
        except (ValueError, RecursionError) as error:
            raise FileError(f"{path} should be JSON and is not; is it whole?") from error
    return _of_lines(text, path)


def _of_json(document: Any, path: Path) -> dict[str, str]:
    if isinstance(document, list):
        pairs: list[tuple[Any, Any]] = [
            (item.get("name"), item.get("value")) for item in document if isinstance(item, dict)
        ]
        if len(pairs) != len(document):
            raise FileError(f"{path} should list objects with name and value")
    else:
        values = document.get("Values", document)
        if not isinstance(values, dict):
            raise FileError(f"{path} has Values that are not an object")
        if document.get("IsEncrypted") is True:
            raise FileError(f"{path} is encrypted; `func settings decrypt` makes it readable")
        pairs = list(values.items())
    wrong = [index for index, (name, value) in enumerate(pairs) if not isinstance(name, str) or not _scalar(value)]
    if wrong:
        raise FileError(f"{path}: setting {wrong[0] + 1} has a value that is neither text nor number")
    return {name: _text(value) for name, value in pairs}


def _of_lines(text: str, path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().replace("_", "").isalnum():
            raise FileError(f'{path}, line {number}: expected NAME="value"')
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    """Take off the quotes that azd writes, and the escapes that go with double ones."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == "'" else value


def _scalar(value: object) -> bool:
    return isinstance(value, str | int | float | None)


def _text(value: str | float | None) -> str:
    """Write a value as Azure does, for whom every setting is text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
