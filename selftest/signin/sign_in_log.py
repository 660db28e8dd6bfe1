"""The sign-in log of an emulated tenant: each sign-in with the callouts that it caused.

It has what the Authentication Events tab and Microsoft Graph's sign-in log show: code, status, attempts, time. It is
kept in memory; when it is full, the oldest sign-in is dropped. It contains the claims of minted tokens, but neither the
tokens themselves nor the callouts' bearer tokens.

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
from selftest.signin.tenant.directory import App, EmulatedListener, Person

#: Some megabytes at most.
DEFAULT_CAPACITY: Final = 500

#: The error of a sign-in that an extension made fail. The code of the callout is in the event.
FAILED_SIGN_IN: Final = 1100001
FAILURE_REASON: Final = "Non-retryable error has occurred."


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """One callout to the extension for one audience.

    Attributes:
        listener: The listener that fired.
        audience: The app that the token is for.
        at_s: Seconds since 1970.
        call: The attempts; None where nothing was sent because the tenant file sets the outcome.
        attempts: The number of attempts; 0 where Entra gives up before it calls.
        verdict: The verdict on the last attempt.
    """

    listener: EmulatedListener
    audience: App
    event: Mapping[str, Any]
    at_s: float
    call: Call | None
    attempts: int
    verdict: Verdict

    @property
    def duration_ms(self) -> float:
        """Return the time from when the first attempt was due to the end of the last, in milliseconds."""
        if self.call is None:
            return 0.0
        return (self.call.attempts[-1].end_s - self.call.attempts[0].due_s) * 1000

    @property
    def http_status(self) -> int:
        """Return the status of the last response; 0 without one."""
        return 0 if self.call is None else self.call.attempts[-1].status or 0

    def as_graph(self) -> dict[str, Any]:
        """Return the callout as Graph's ``appliedAuthenticationEventListener``."""
        return {
            "eventType": "tokenIssuanceStart",
            "executedListenerId": self.listener.id,
            "handlerResult": {
                "@odata.type": "#microsoft.graph.customExtensionCalloutResult",
                "customExtensionId": self.listener.extension.id,
                "calloutDateTime": timestamp(self.at_s),
                "numberOfAttempts": self.attempts,
                "httpStatus": self.http_status,
                "errorCode": self.verdict.code or 0,
            },
        }


@dataclass(slots=True, kw_only=True)
class SignInRecord:
    """One sign-in, or one refresh.

    Attributes:
        correlation_id: The id in the events and in the app's error.
        at_s: When the sign-in began, in seconds since 1970.
        resource: The API of the access token; the client itself without an access token.
        interactive: Whether a user is present; not for a refresh.
        callouts: The callouts, at most one per audience.
        refusal: Why no token is minted; None if the sign-in succeeds.
        custom_claims: The custom claims of each token by its kind: ``id_token``, ``access_token``, ``saml``.
        minted: The claims of the issued tokens by kind; empty while the code is not redeemed.
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
        """Return the error code of the sign-in; 0 means success."""
        return 0 if self.refusal is None else self.refusal.aadsts

    def as_graph(self) -> dict[str, Any]:
        """Return the sign-in as Graph beta's ``signIn``, with the members that this emulator knows."""
        return {
            "id": self.id,
            "createdDateTime": timestamp(self.at_s),
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


class EmulatedSignInLog:
    """The last sign-ins of a tenant."""

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._records: deque[SignInRecord] = deque(maxlen=capacity)

    @property
    def records(self) -> tuple[SignInRecord, ...]:
        """Return the sign-ins, oldest first."""
        return tuple(self._records)

    def add(self, record: SignInRecord) -> None:
        """Add a sign-in."""
        self._records.append(record)

    def as_graph(self) -> dict[str, Any]:
        """Return the sign-ins as ``GET /beta/auditLogs/signIns`` does: newest first."""
        return {"value": [record.as_graph() for record in reversed(self._records)]}


def timestamp(at_s: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC with milliseconds."""
    return f"{dt.datetime.fromtimestamp(at_s, dt.UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
