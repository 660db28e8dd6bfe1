"""What can go wrong between a program of ours and Microsoft Graph.

    GraphError
    ├── NotSignedIn        there is no token, or Graph takes none of it (401)
    ├── PermissionMissing  the token does not allow it, or the account does not (403)
    ├── ObjectNotFound     it is not there, or not there yet (404, and 400 where a body names it)
    ├── RequestRefused     any other refusal
    ├── Unreachable        no answer, or 429 and 5xx until patience ended
    ├── OutcomeUnknown     a create whose answer never came: it may have been made
    └── AnswerUnusable     an answer that is not Graph's: no JSON, too long, a redirect, a link to elsewhere

Each says what failed, why, and the way on, in words that can be shown and logged: no token, no key, no name of a user.
"""

import re
from typing import Final

from selftest.base.cannot_run import CannotRun

_MAX_CHARS: Final = 300
_TOKEN: Final = re.compile(r"\beyJ[\w-]+(\.[\w-]*)*")
_ADDRESS: Final = re.compile(r"[^\s'\"<>()]+@[^\s'\"<>()]+")


class GraphError(CannotRun):
    """Raised when Graph did not do what was asked.

    Attributes:
        reason: what happened.
        advice: the way on.
        status: of the answer; None without one.
        code: Graph's code; None without one.
        detail: the code of Graph's first detail.
        request_id: what to quote to Microsoft's support.
        retry_after_s: how long Graph asked to be left alone, in seconds.
    """

    def __init__(
        self,
        reason: str,
        advice: str,
        *,
        status: int | None = None,
        code: str | None = None,
        detail: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason, advice)
        self.reason = reason
        self.advice = advice
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        quote = f" (request-id {self.request_id})" if self.request_id else ""
        return f"{self.reason}{quote}. {self.advice}"


class NotSignedIn(GraphError):
    """Raised when there is no token, or none that Graph takes."""


class PermissionMissing(GraphError):
    """Raised when the token, or the account behind it, may not do it.

    Attributes:
        wanted: the least privileged permissions that would allow it; empty where they are not known.
        held: whether the token has them, so that it is the account that lacks a directory role.
    """

    def __init__(
        self, reason: str, advice: str, *, wanted: frozenset[str], held: bool, status: int, code: str | None
    ) -> None:
        super().__init__(reason, advice, status=status, code=code)
        self.wanted = wanted
        self.held = held


class ObjectNotFound(GraphError):
    """Raised when an object is not there; one that was just made may take some seconds to be."""


class RequestRefused(GraphError):
    """Raised when Graph refuses a request for a reason of its own."""


class Unreachable(GraphError):
    """Raised when no answer came, or only 429 and 5xx."""


class OutcomeUnknown(GraphError):
    """Raised when a create may or may not have happened: look before doing it again."""


class AnswerUnusable(GraphError):
    """Raised when an answer is none of Graph's."""


def safe_text(text: str) -> str:
    """Cut what a server says to one short line without tokens and without names of users."""
    line = " ".join(_ADDRESS.sub("(a name)", _TOKEN.sub("(a token)", text)).split())
    printable = "".join(character for character in line if character.isprintable())
    return printable if len(printable) <= _MAX_CHARS else f"{printable[:_MAX_CHARS]}…"
