"""What can go wrong between a command and Microsoft Graph.

    GraphError
    ├── NotSignedIn        there is no token, or Graph does not accept it (401)
    ├── PermissionMissing  the token, or the account, does not allow the request (403)
    ├── ObjectNotFound     the object does not exist, or not yet (404, and 400 where a body names it)
    ├── RequestRefused     any other refusal
    ├── Unreachable        no answer, or 429 and 5xx until the deadline
    ├── OutcomeUnknown     a create without an answer: the object may exist
    └── AnswerUnusable     the answer is not Graph's: not JSON, too long, a redirect, a link to another host

Each message says what failed, why, and what to do, and can be shown and logged: no token, no key, no name of a user.
"""

import re
from dataclasses import KW_ONLY, dataclass
from typing import Final

from selftest.base.cannot_run import CannotRun

_MAX_CHARS: Final = 300
_TOKEN: Final = re.compile(r"\beyJ[\w-]+(\.[\w-]*)*")
_ADDRESS: Final = re.compile(r"[^\s'\"<>()]+@[^\s'\"<>()]+")


@dataclass(eq=False)
class GraphError(CannotRun):
    """Graph did not do what was requested.

    Attributes:
        status: Of the answer; None without one.
        detail: The code of Graph's first detail.
        request_id: What to quote to Microsoft's support.
        retry_after_s: How long Graph asked to wait, in seconds.
        sent: Whether Graph may have received the request.
    """

    reason: str
    advice: str
    _: KW_ONLY
    status: int | None = None
    code: str | None = None
    detail: str | None = None
    request_id: str | None = None
    retry_after_s: float | None = None
    sent: bool = True

    def __str__(self) -> str:
        quote = f" (request-id {self.request_id})" if self.request_id else ""
        return f"{self.reason}{quote}. {self.advice}"


class NotSignedIn(GraphError):
    """There is no token, or none that Graph accepts."""


@dataclass(eq=False)
class PermissionMissing(GraphError):
    """The token, or the account behind it, does not allow the request.

    Attributes:
        wanted: The least privileged permissions that would allow it; empty where they are not known.
        held: Whether the token has them, so that it is the account that lacks a directory role.
    """

    _: KW_ONLY
    wanted: frozenset[str]
    held: bool


class ObjectNotFound(GraphError):
    """The object does not exist; a new one may take some seconds to appear."""


class RequestRefused(GraphError):
    """Graph refuses a request for another reason."""


class Unreachable(GraphError):
    """No answer came, or only 429 and 5xx."""


class OutcomeUnknown(GraphError):
    """A create may or may not have been executed: check before it is sent again."""


class AnswerUnusable(GraphError):
    """The answer is not Graph's."""


def safe_text(text: str) -> str:
    """Return a server's text as one short line without tokens and without names of users."""
    line = " ".join(_ADDRESS.sub("(a name)", _TOKEN.sub("(a token)", text)).split())
    printable = "".join(character for character in line if character.isprintable())
    return printable if len(printable) <= _MAX_CHARS else f"{printable[:_MAX_CHARS]}…"
