"""The explanation of one code, and its samples.

A sample is data: the tests judge every reply and compare every Graph object, so that no sample contradicts its code.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from selftest.judge.received_reply import CallFailure

type CodePhase = Literal["before the call", "during the call", "Entra's side"]

LOST: Final = (
    "OpenID Connect: the browser returns to the app with a generic error, usually AADSTS1100001, and no token. "
    "SAML: Entra shows its own error page. Only the sign-in log has the code itself."
)
#: ``<3073 x a>`` in the body of a sample means that many letters, so that a page can show a body of any size.
_FILL: Final = re.compile(r"<(\d{1,7}) x (.)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySample:
    """One reply of an endpoint, or why there is none.

    Attributes:
        status: None without a status line.
        content_type: None without the header.
        body: Text in which ``<3073 x a>`` means that many letters.
        failure: Why no complete reply arrived in time; None if one did.
    """

    status: int | None = 200
    content_type: str | None = "application/json"
    body: str = ""
    failure: CallFailure | None = None

    def body_bytes(self) -> bytes:
        """Return the body as it is sent."""
        return _FILL.sub(lambda found: int(found[1]) * found[2], self.body).encode()

    def lines(self) -> tuple[str, ...]:
        """Return the status line, the header and the body, line by line."""
        if self.failure is not None:
            return (_FAILURES[self.failure],)
        head = [f"HTTP/1.1 {self.status}"]
        if self.content_type is not None:
            head.append(f"Content-Type: {self.content_type}")
        return (*head, "", *(self.body or "(no body)").splitlines())


_FAILURES: Final[Mapping[CallFailure, str]] = {
    "timeout": "(no complete reply within timeoutInMilliseconds, nor at the retry)",
    "connection": "(no connection: the name, the route, the port or TLS)",
    "protocol": "(the connection closes in the middle of the reply)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPair:
    """A reply that leads to exactly this code, and a similar one that leads to a token."""

    bad: ReplySample
    good: ReplySample


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPair:
    """Members of one Graph object: those that lead to the code, and the correct ones.

    Attributes:
        kind: The collection of the object in Graph.
        id: The ``appId`` of the object, or its ``id`` without one.
        bad: The wrong members; None if the object is missing.
        good: The same members in a correctly configured tenant.
    """

    kind: Literal["applications", "servicePrincipals", "customAuthenticationExtensions", "authenticationEventListeners"]
    id: str
    bad: Mapping[str, Any] | None
    good: Mapping[str, Any]

    def lines(self, members: Mapping[str, Any] | None) -> tuple[str, ...]:
        """Return one side of the pair as Graph returns it, line by line."""
        where = f"GET /{self.kind}: {self.id}"
        if members is None:
            return (where, "(missing)")
        return (where, *json.dumps(members, indent=2).splitlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code that Entra logs or shows.

    Attributes:
        code: The number in the log, or the AADSTS code as text.
        phase: When Entra gives up: before it calls the endpoint, during the call, or because of a fault of Entra.
        cause: The causes, most likely first.
        confirm: How to distinguish it from similar codes.
        commands: The commands that show it, without ``python -m selftest``; FILE is a path.
        seen: What the app and the user see, for OpenID Connect and SAML.
        related: The ids, or leading letters, of checks that find the cause before Entra does.
        pair: A sample with this code and one without; None if neither a reply nor an object shows it.
        conflict: Both sides where sources disagree, and what to try; None if they agree.
        steps: The fix as command lines, with comments.
        says: Phrases in lower case by which a pasted text without a number is recognized.
    """

    code: int | str
    name: str
    phase: CodePhase
    meaning: str
    cause: tuple[str, ...]
    confirm: str
    fix: str
    source: str
    commands: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    seen: str = LOST
    pair: ReplyPair | ObjectPair | None = None
    conflict: str | None = None
    steps: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
