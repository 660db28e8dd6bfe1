"""What the tool remembers of the endpoints' requests for signing keys, from run to run.

A library that meets an unknown key id asks again at a limited rate: jose after 30 s, this project after a minute,
IdentityModel after five minutes. Whether an endpoint takes up a new key can be judged only if nothing else made it ask
within that time, also not in an earlier run.
"""

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from yarl import URL

from selftest.base.bounded_file import FileError
from selftest.entra.state_folder import read_object, state_folder, write_private

#: The longest usual pause between two forced fetches: IdentityModel's default, and Microsoft's advice.
COOL_DOWN_S: Final = 300.0

_FILE: Final = "key-fetches.json"
_KEPT_S: Final = 30 * 86_400.0


class KeyFetches:
    """The times of the last requests for keys, in Unix seconds.

    Args:
        path: The file; None for the memory of this process.
        clock: Unix time in seconds.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._times: dict[str, float] = {}
        self._forced_at: str | None = None

    @classmethod
    def open(cls) -> Self:
        """Return this user's record."""
        return cls(state_folder() / _FILE)

    def expect_forced(self, url: str) -> None:
        """Take every later request for keys as forced on the endpoint at this URL.

        It holds from the first accepted call on: what the endpoint then needs is in its cache, and some libraries look
        for new keys not only for an unknown key id, but for any signature or issuer that they refuse.
        """
        self._forced_at = _endpoint(url)

    def note(self, authority_url: str) -> None:
        """Record a request for the keys of an authority. What cannot be written is remembered in this process."""
        now_s = self._clock()
        self._times = {name: at_s for name, at_s in self._all().items() if now_s - at_s < _KEPT_S}
        self._times[authority_url] = now_s
        if self._forced_at is not None:
            self._times[self._forced_at] = now_s
        if self._path is not None:
            with contextlib.suppress(OSError):
                write_private(self._path, json.dumps(self._times))

    def read_age_s(self, authority_url: str) -> float | None:
        """Return how long ago the keys of an authority were read, in seconds; None if they never were."""
        return self._age_s(authority_url)

    def forced_age_s(self, url: str) -> float | None:
        """Return how long ago the endpoint at a URL was made to read the keys, in seconds; None if it never was."""
        return self._age_s(_endpoint(url))

    def _age_s(self, name: str) -> float | None:
        at_s = self._all().get(name)
        return None if at_s is None else max(0.0, self._clock() - at_s)

    def _all(self) -> dict[str, float]:
        if self._path is None:
            return self._times
        try:
            read = read_object(self._path)
        except FileError:  # none yet, or damaged: nothing is known
            return self._times
        return {name: float(at_s) for name, at_s in read.items() if isinstance(at_s, int | float)}


def _endpoint(url: str) -> str:
    return f"endpoint {URL(url).with_query(None)}"
