"""What is told about one code, and the samples that show it.

A sample is data, not a picture: the tests judge every reply and compare every Graph object, so that an example here
cannot be wrong about the code beside it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from selftest.judge.received_reply import CallFailure

type CodePhase = Literal["before the call", "during the call", "Entra's side"]

TROUBLESHOOT: Final = "entra-docs identity-platform/custom-extension-troubleshoot.md"
REFERENCE: Final = "entra-docs identity-platform/custom-claims-provider-reference.md"
CONFIGURE: Final = "entra-docs identity-platform/custom-extension-tokenissuancestart-configuration.md"
SAML: Final = "entra-docs identity-platform/custom-extension-configure-saml-app.md"
JWT: Final = "entra-docs identity-platform/jwt-claims-customization.md"
AADSTS: Final = "entra-docs identity-platform/reference-error-codes.md"
CLIENT: Final = "Microsoft Graph v1.0 customExtensionClientConfiguration"
VALIDATE: Final = "Microsoft Graph v1.0 customAuthenticationExtension: validateAuthenticationConfiguration"

LOST: Final = (
    "OpenID Connect: the browser returns to the app with a generic error, mostly AADSTS1100001, and no token. "
    "SAML: Entra keeps the user on its own error page. The code itself stands only in the sign-in log."
)
NO_REQUEST: Final = "the sign-in log shows 0 attempts and the endpoint's log shows no request"

#: ``<3073 x a>`` in the body of a sample stands for that many letters, so that a page can show a body of any size.
_FILL: Final = re.compile(r"<(\d{1,7}) x (.)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySample:
    """One reply as it came from the endpoint, or why none came.

    Attributes:
        status: None when there was no status line.
        content_type: None when there was no such header.
        body: text, where ``<3073 x a>`` stands for that many letters.
        failure: why no whole reply came in time; None when one did.
    """

    status: int | None = 200
    content_type: str | None = "application/json"
    body: str = ""
    failure: CallFailure | None = None

    def body_bytes(self) -> bytes:
        """Give the body as it is on the wire."""
        return _FILL.sub(lambda found: int(found[1]) * found[2], self.body).encode()

    def lines(self) -> tuple[str, ...]:
        """Write it as a reader knows replies: status line, header, body."""
        if self.failure is not None:
            return (_FAILURES[self.failure],)
        head = [f"HTTP/1.1 {self.status}"]
        if self.content_type is not None:
            head.append(f"Content-Type: {self.content_type}")
        return (*head, "", *(self.body or "(no body)").splitlines())


_FAILURES: Final[Mapping[CallFailure, str]] = {
    "timeout": "(no whole reply within timeoutInMilliseconds, nor at the retry)",
    "connection": "(no connection: the name, the route, the port or TLS)",
    "protocol": "(the connection closes in the middle of the reply)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPair:
    """A reply that gets exactly this code, and its like that gets a token minted."""

    bad: ReplySample
    good: ReplySample


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPair:
    """ReplyObject of one Graph object, as they lead to the code and as they should be.

    Attributes:
        kind: the list that the object is in, by its name in Graph.
        id: the object's ``appId``, or its ``id`` where it has none.
        bad: the members at fault; None: the object is not there.
        good: the same members in a tenant that is set up well.
    """

    kind: Literal["applications", "servicePrincipals", "customAuthenticationExtensions", "authenticationEventListeners"]
    id: str
    bad: Mapping[str, Any] | None
    good: Mapping[str, Any]

    def lines(self, members: Mapping[str, Any] | None) -> tuple[str, ...]:
        """Write one side of the pair as Graph returns it."""
        where = f"GET /{self.kind}: the one of {self.id}"
        if members is None:
            return (where, "(not there)")
        return (where, *json.dumps(members, indent=2).splitlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code that Entra logs or shows.

    Attributes:
        code: the number in the log, or the AADSTS code as text.
        phase: when Entra gives up: before it calls the endpoint, during the call, or for a reason of its own.
        cause: what leads to it, the likeliest first.
        confirm: how to tell that it is this and not a neighbour.
        commands: what to run to see it, without ``python -m selftest``; FILE stands for a path.
        seen: what the app and the user see, for OpenID Connect and SAML.
        related: ids or leading letters of the checks that find the cause before Entra does.
        pair: a sample that gets this code, and one that does not; None where neither a reply nor an object shows it.
        conflict: where sources disagree, both sides, and what to try; None when they do not.
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
