"""Consent before load or faults are sent to another machine.

One rule for every command. A loopback address is this machine and needs no consent.
"""

import sys
from typing import Final, TextIO

from yarl import URL

from selftest.base.cannot_run import CannotRun
from selftest.base.loopback import is_this_machine

#: A rate that a small endpoint handles without being noticed.
MAX_UNASKED_RATE_PER_S: Final = 50.0


class ConsentError(CannotRun):
    """The user did not consent. The message names the action and the flag that consents to it."""


def require_consent(
    url: str | None,
    *,
    rate_per_s: float = 0.0,
    faults: bool = False,
    yes: bool,
    terminal: TextIO | None = None,
    out: TextIO | None = None,
) -> None:
    """Ask before more than 50 calls a second, or any fault, is sent to a host other than this machine.

    Args:
        url: The endpoint; None for the local app.
        rate_per_s: The highest planned rate, in calls a second.
        faults: Whether dependencies will be made to fail.
        yes: Whether consent was given on the command line.
        terminal: Where the answer is read, stdin by default. Without a terminal nothing is asked.
        out: Where the question is written, stderr by default.

    Raises:
        ConsentError: The user did not consent, or could not be asked.
    """
    if url is None or yes or is_this_machine(url):
        return
    if rate_per_s > MAX_UNASKED_RATE_PER_S:
        what = f"{rate_per_s:g} calls a second (more than {MAX_UNASKED_RATE_PER_S:g})"
    elif faults:
        what = "faults"
    else:
        return
    host = URL(url).host
    stream, written = sys.stdin if terminal is None else terminal, sys.stderr if out is None else out
    if not (stream.isatty() and written.isatty()):
        raise ConsentError(
            f"{what} for {host}, which is not this machine, needs --yes: only test what is yours to test"
        )
    written.write(f"This sends {what} to {host}, which is not this machine. Is it yours to test? [y/N] ")
    written.flush()
    if stream.readline().strip().lower() not in {"y", "yes"}:
        raise ConsentError(f"nothing was sent to {host}")
