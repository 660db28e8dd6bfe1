"""The claims file: the claims that an endpoint returned in sign-ins, each with its name in the token; no values.

``signin --claims-out`` writes it, ``objects --claims-from`` registers and maps what it names, and ``doctor
--claims-from`` compares a tenant with it. It is JSON, because a claim may have any name: ``{"Region": "Region"}``.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from selftest.base.bounded_file import FileError, read_text
from selftest.judge.mapping import name_in_token
from selftest.judge.warnings import shown

#: A reply holds at most 3 KB of names and values; a file of several kinds of users stays far below this.
_MAX_BYTES: Final = 1 << 18


def read_claims_file(path: Path) -> dict[str, str]:
    """Return the name in the token of each returned claim.

    Raises:
        FileError: The file cannot be read, or is not such a file.
    """
    try:
        document = json.loads(read_text(path, _MAX_BYTES))
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is not JSON; signin --claims-out writes such a file") from error
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document.values()):
        raise FileError(
            f'{path} should be a JSON object of texts, as {{"Region": "Region"}}: returned name, token name'
        )
    return document


def add_to_claims_file(path: Path, returned: Iterable[str]) -> str:
    """Add the names that the file does not have, and return a sentence about it.

    What the file has stays: a name in the token that somebody chose, and claims that only other users get.

    Raises:
        FileError: The file cannot be read or written, or is not such a file.
    """
    known = read_claims_file(path) if path.exists() else {}
    new = {name: name_in_token(name) for name in returned if name not in known}
    try:
        path.write_text(json.dumps(known | new, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}") from error
    return f"claims in {path}: {len(known | new)}; new: {', '.join(map(shown, new)) or 'none'}"
