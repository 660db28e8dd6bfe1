"""The sign-ins that an emulated tenant remembers, each with the calls of the extension that it caused.

This is what the Authentication Events tab and Microsoft Graph's sign-in log show: code, status, attempts, time. It is
kept in memory, newest last, and the oldest go when it is full. Bearer tokens and minted tokens are not in it; the
claims that were minted are, because they are what its reader came for.

Source: Microsoft Graph beta ``signIn``, ``appliedAuthenticationEventListener``, ``customExtensionCalloutResult``.
"""

import datetime as dt
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from selftest.entra.oauth_error import OAuthError
from selftest.judge.verdict import Verdict
from selftest.play.caller import Call
from selftest.signin.tenant.directory import App, Listener, Person

#: More than a developer looks through, and less than a megabyte or two.
DEFAULT_CAPACITY: Final = 500

#: What a sign-in ends with when the extension failed it. The code of the event stands in the event.
FAILED_SIGN_IN: Final = 1100001
FAILURE_REASON: Final = "Non-retryable error has occurred."


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """One call of the extension for one audience.

    Attributes:
        listener: Which listener fired.
        audience: The app that the token is for.
        event: What was sent.
        at_s: When, in seconds since 1970.
        call: The attempts; None where nothing was sent, because the tenant file says how it ends.
        attempts: How many there were; 0 where Entra gives up before it calls.
        verdict: What Entra makes of the last one.
    """

    listener: Listener
    audience: App
    event: Mapping[str, Any]
    at_s: float
    call: Call | None
    attempts: int
    verdict: Verdict

    @property
    def duration_ms(self) -> float:
        """Give the time from the first attempt's due to the last one's end, in milliseconds."""
        if self.call is None:
            return 0.0
        return (self.call.attempts[-1].end_s - self.call.attempts[0].due_s) * 1000

    @property
    def http_status(self) -> int:
        """Give the last answer's status; 0 where there was none."""
        return 0 if self.call is None else self.call.attempts[-1].status or 0

    def as_portal(self) -> dict[str, Any]:
        """Give what the Authentication Events tab shows, which Graph's type has no duration for."""
        return {
            "event": "tokenIssuanceStart",
            "audience": self.audience.principal.display_name,
            "http_status": self.http_status,
            "error_code": self.verdict.code,
            "error_name": self.verdict.name,
            "duration_ms": round(self.duration_ms, 1),
            "retries": max(0, self.attempts - 1),
        }

    def as_graph(self) -> dict[str, Any]:
        """Give it as ``appliedAuthenticationEventListener``."""
        return {
            "eventType": "tokenIssuanceStart",
            "executedListenerId": self.listener.id,
            "handlerResult": {
                "@odata.type": "#microsoft.graph.customExtensionCalloutResult",
                "customExtensionId": self.listener.extension.id,
                "calloutDateTime": _timestamp(self.at_s),
                "numberOfAttempts": self.attempts,
                "httpStatus": self.http_status,
                "errorCode": self.verdict.code or 0,
            },
        }


@dataclass(slots=True, kw_only=True)
class SignInRecord:
    """One sign-in, or one refresh.

    Attributes:
        id: Of the record; no other has it.
        correlation_id: What the events and the app's error carry.
        at_s: When it began, in seconds since 1970.
        person: Who.
        client: To which app.
        resource: Which API the access token is for; the client itself where there is none.
        interactive: False for a refresh.
        callouts: The calls, one an audience at most.
        refusal: Why no token is minted; None where the app gets what it asked for.
        custom_claims: What each token got from the extension, by kind: ``id_token``, ``access_token``, ``saml``.
        minted: The claims of the tokens that were handed out, by kind. A code that is not redeemed leaves it empty.
    """

    id: str
    correlation_id: str
    at_s: float
    person: Person
    client: App
    resource: App
    interactive: bool
    callouts: tuple[Callout, ...] = ()
    refusal: OAuthError | None = None
    custom_claims: dict[str, Mapping[str, object]] = field(default_factory=dict)
    minted: dict[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def error_code(self) -> int:
        """Give what the sign-in ended with; 0 is success."""
        return 0 if self.refusal is None else self.refusal.aadsts

    def as_graph(self) -> dict[str, Any]:
        """Give it as Graph beta's ``signIn``, with the members that this emulator can know."""
        return {
            "id": self.id,
            "createdDateTime": _timestamp(self.at_s),
            "correlationId": self.correlation_id,
            "appId": self.client.client_id,
            "appDisplayName": self.client.principal.display_name,
            "resourceId": self.resource.client_id,
            "resourceDisplayName": self.resource.principal.display_name,
            "userId": self.person.id,
            "userPrincipalName": self.person.sign_in_name,
            "userDisplayName": self.person.display_name,
            "ipAddress": self.person.ip,
            "clientAppUsed": "Browser" if self.interactive else "Mobile Apps and Desktop clients",
            "isInteractive": self.interactive,
            "signInEventTypes": ["interactiveUser" if self.interactive else "nonInteractiveUser"],
            "status": {
                "errorCode": self.error_code,
                "failureReason": None if self.refusal is None else str(self.refusal),
                "additionalDetails": None,
            },
            "appliedEventListeners": [callout.as_graph() for callout in self.callouts],
        }


class EventsLog:
    """The last sign-ins of a tenant, oldest first.

    Args:
        capacity: How many are kept.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._records: deque[SignInRecord] = deque(maxlen=capacity)

    @property
    def records(self) -> tuple[SignInRecord, ...]:
        """Give the sign-ins, oldest first."""
        return tuple(self._records)

    def add(self, record: SignInRecord) -> None:
        """Keep a sign-in."""
        self._records.append(record)

    def clear(self) -> None:
        """Forget every sign-in."""
        self._records.clear()

    def as_graph(self) -> dict[str, Any]:
        """Give all of them as ``GET /beta/auditLogs/signIns`` would: newest first."""
        return {"value": [record.as_graph() for record in reversed(self._records)]}


def _timestamp(at_s: float) -> str:
    return f"{dt.datetime.fromtimestamp(at_s, dt.UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
