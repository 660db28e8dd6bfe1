"""``NAME="value"`` lines, as the Azure Developer CLI writes them, and as any other .env has them."""

from pathlib import Path

from selftest.base.bounded_file import FileError


def env_lines(text: str, path: Path) -> dict[str, str]:
    """Return the values by name; the path is for the message.

    Raises:
        FileError: A line has another form; the message shows none of it.
    """
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
