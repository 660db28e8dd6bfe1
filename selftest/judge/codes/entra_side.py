"""Codes unrelated to the endpoint: Entra itself failed, or the number is not documented."""

from functools import partial
from typing import Final

from selftest.judge.codes.entry import TROUBLESHOOT, Code

_entra: Final = partial(Code, phase="Entra's side")

ENTRIES: Final = (
    _entra(
        code=1003000,
        name="EventHandlerUnexpectedError",
        meaning="Entra failed while it handled the event, for a reason that it does not name.",
        cause=("a temporary fault of the service", "a listener or handler object that the service cannot read"),
        confirm="Sign in again; if it persists, read the listener through Graph and look for a handler that is null.",
        commands=("signin-log --file FILE --code 1003000",),
        fix="Retry; create the listener again; open a support case with the correlation id and the time.",
        source=TROUBLESHOOT,
        related=("D",),
    ),
    _entra(
        code=1003013,
        name="(not documented)",
        meaning="A gap: the documented table goes from 1003012 to 1003014.",
        cause=("unknown; the number may be retired, reserved or internal",),
        confirm="If a sign-in log shows it, keep the entry and its correlation id, because the code is unknown.",
        commands=("signin-log --file FILE --code 1003013",),
        fix="Ask support with the correlation id.",
        source=f"{TROUBLESHOOT} (by its absence)",
        seen="Not known; presumably the generic error of every other code in the range.",
    ),
)
