"""Says that the app blocks its event loop, while it does, which only another thread can.

A blocked loop answers nobody: the app's own line about it comes late, or never. Azure's host does not report it, so the
note is the local host's own; the harness reads it (`selftest.play.app_log`).

It is imported in the app's interpreter, so it needs nothing but the standard library.
"""

import asyncio
import json
import logging
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Final

#: A loop that does not come back within this time is blocked, in seconds.
BLOCKED_S: Final = 0.25
_EVERY_S: Final = 0.1
_HOST: Final = Path(__file__).parent
_NOT_THE_APP: Final = frozenset({"site-packages", ".venv", ".python_packages"})

_log = logging.getLogger("selftest.host")


class BlockedLoopWatch:
    """Asks the loop again and again to come back, and notes where the app is when it does not.

    Args:
        app_dir: The app's folder. Only what blocks in its files is noted: a busy machine is not the app's fault.
        blocked_s: See `BLOCKED_S`.
    """

    def __init__(self, app_dir: Path, *, blocked_s: float = BLOCKED_S) -> None:
        self._app_dir = app_dir
        self._blocked_s = blocked_s
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to watch the running loop."""
        of_the_loop = (asyncio.get_running_loop(), threading.get_ident())
        threading.Thread(target=self._watch, args=of_the_loop, daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, thread_id: int) -> None:
        while not self._stopped.wait(_EVERY_S):
            asked_s, back = time.monotonic(), threading.Event()
            try:
                loop.call_soon_threadsafe(back.set)
            except RuntimeError:  # the loop is closed
                return
            if back.wait(self._blocked_s) or not (place := self._place(sys._current_frames().get(thread_id))):  # noqa: SLF001 (documented)
                continue
            _note(place)
            while not back.wait(_EVERY_S):
                if self._stopped.is_set():
                    return
            _note(place, total_ms=int((time.monotonic() - asked_s) * 1000))

    def _place(self, frame: FrameType | None) -> str:
        """Return the file, as in the app's folder, and line of the developer's innermost frame; empty without one.

        It is empty, too, where the endpoint's own code runs without a provider: that takes long on a busy machine.
        """
        in_endpoint = False
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if self._is_the_apps(path):
                inside = path.relative_to(self._app_dir)
                if "providers" in inside.parts or not (in_endpoint or inside.parts[0] == "claims"):
                    return f"{inside.as_posix()}:{frame.f_lineno}"
                in_endpoint = True
            frame = frame.f_back
        return ""

    def _is_the_apps(self, path: Path) -> bool:
        if not path.is_relative_to(self._app_dir) or path.is_relative_to(_HOST):
            return False
        return _NOT_THE_APP.isdisjoint(path.relative_to(self._app_dir).parts)


def _note(place: str, **ended: int) -> None:
    """Log that the loop is blocked, or with ``total_ms`` that it was."""
    _log.warning("%s", json.dumps({"event": "event_loop_blocked", "detail": f"at {place}", **ended}))
