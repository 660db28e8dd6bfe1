"""The settings of an app in a file, in one of the forms in which people have them.

========================  ==========================================================================================
form                      written by
========================  ==========================================================================================
``{"Values": {…}}``       ``local.settings.json``
``[{"name", "value"}…]``  ``az functionapp config appsettings list``
``{"NAME": "value"}``     people
``NAME="value"`` lines    the Azure Developer CLI (``.azure/<environment>/.env``), and any other .env
========================  ==========================================================================================
"""

from pathlib import Path
from typing import Any, Final

from msgspec import Struct, ValidationError, convert

from selftest.base.bounded_file import FileError, parse_json, read_text
from selftest.base.env_lines import env_lines
from selftest.base.printable import printable

LOCAL_SETTINGS: Final = Path("local.settings.json")
#: The settings of an app take some kilobytes; App Service allows no more than this either.
_MAX_BYTES: Final = 1024 * 1024

_GIVE: Final = "give what `az functionapp config appsettings list -g <group> -n <app>` writes, or local.settings.json"

type _Value = str | int | float | bool | None


class _Setting(Struct):
    name: str
    value: _Value = None


def parse_settings(path: Path) -> dict[str, str]:
    """Read a file of settings in any of the forms of this module.

    Raises:
        FileError: The file cannot be read or has none of the forms; the message shows no value.
    """
    text = read_text(path, _MAX_BYTES)
    if not text.lstrip().startswith(("{", "[")):
        return env_lines(text, path)
    return {name: _text(value) for name, value in _of_json(parse_json(text, path), path).items()}


def _of_json(document: Any, path: Path) -> dict[str, _Value]:
    if isinstance(document, list):
        try:
            return {setting.name: setting.value for setting in convert(document, list[_Setting])}
        except ValidationError as error:
            raise FileError(f"{path} holds a list whose members are not all a name and a value: {_GIVE}") from error
    if document.get("IsEncrypted") is True:
        raise FileError(f"{path} is encrypted; `func settings decrypt` decrypts it")
    values = document.get("Values", document)
    if not isinstance(values, dict):
        raise FileError(f"{path}: Values should be an object of settings by name: {_GIVE}")
    if (wrong := next((name for name, value in values.items() if isinstance(value, dict | list)), None)) is not None:
        raise FileError(f"{path}: {printable(wrong)[:60]!r} is no setting, which is text or a number: {_GIVE}")
    return values


def _text(value: _Value) -> str:
    """Return a value as Azure stores it: every setting is text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
