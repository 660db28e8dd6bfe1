"""The app's ``host.json``, as far as the Functions host's HTTP edge is governed by it.

Comments and a comma after the last member are allowed, as in Microsoft's host. What makes that host answer 503 to every
request, "Function host is not running.", stops the start here.

Source: Microsoft's Functions host 4.1037.0, run; Learn "host.json reference".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from selftest.host.worker import StartError

DEFAULT_PREFIX: Final = "api"
#: Of the plans with dynamic scale; the others have 30 minutes, which no local run waits for either.
_DEFAULT_TIMEOUT_S: Final = 300.0
_TIMEOUT: Final = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?")
#: A string, which is kept, or what stands between: a comment, or a comma before the end of an object or a list.
_TOKENS: Final = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])', re.DOTALL)
_AZURE: Final = "Azure's host answers 503 to every request then, 'Function host is not running.'"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostJson:
    """What the HTTP edge takes from the file.

    Attributes:
        prefix: Of every route; empty for none.
        custom_headers: Added to every answer, also to 404.
        timeout_s: After which a call is answered 500 and the worker is replaced.
    """

    prefix: str = DEFAULT_PREFIX
    custom_headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = _DEFAULT_TIMEOUT_S

    @classmethod
    def read(cls, app_dir: Path) -> Self:
        """Return the settings of an app's file, the defaults where there is none.

        Raises:
            StartError: Microsoft's host would not run with it.
        """
        file = app_dir / "host.json"
        if not file.is_file():
            return cls()
        try:
            settings = json.loads(_TOKENS.sub(lambda found: found[1] or "", file.read_text("utf-8-sig")))
            http = settings.get("extensions", {}).get("http", {})
            return cls(
                prefix=_prefix(http),
                custom_headers=tuple((str(name), str(value)) for name, value in http.get("customHeaders", {}).items()),
                timeout_s=_timeout_s(settings),
            )
        except (ValueError, AttributeError) as error:
            raise StartError(f"{file} cannot be used: {error}. {_AZURE}; see Azure's host.json reference") from error


def _prefix(http: Mapping[str, Any]) -> str:
    prefix = str(http.get("routePrefix", DEFAULT_PREFIX))
    if prefix != prefix.strip("/"):
        raise ValueError(f"routePrefix '{prefix}' begins or ends with a slash")
    return prefix


def _timeout_s(settings: Mapping[str, Any]) -> float:
    if (version := settings.get("version", "2.0")) != "2.0":
        raise ValueError(f"version is '{version}', expected '2.0'")
    text = settings.get("functionTimeout")
    if text is None:
        return _DEFAULT_TIMEOUT_S
    if text in {"-1", -1}:
        return float("inf")
    found = _TIMEOUT.fullmatch(str(text))
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    if not (timeout_s := ((days * 24 + hours) * 60 + minutes) * 60 + seconds):
        raise ValueError(f"functionTimeout is '{text}', expected hh:mm:ss above zero")
    return float(timeout_s)
