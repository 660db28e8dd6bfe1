"""A refused OAuth request: the error code, Entra's AADSTS number, and the ids that trace it.

Applications may branch on the error code; the number and the text are for people.

Source: RFC 6749 4.1.2.1 and 5.2; entra-docs ``reference-error-codes.md`` (members and form of the response).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The ids and the time that Entra adds to an error, so that it can be found in the logs.

    Attributes:
        trace_id: One per request.
        correlation_id: One per sign-in.
        at_s: Seconds since 1970.
    """

    trace_id: str
    correlation_id: str
    at_s: float

    @property
    def timestamp(self) -> str:
        """Return the time in Entra's format."""
        return f"{dt.datetime.fromtimestamp(int(self.at_s), dt.UTC):%Y-%m-%d %H:%M:%S}Z"


class OAuthError(Exception):
    """A refused request.

    Attributes:
        code: The OAuth error code.
        status: The HTTP status.
        aadsts: Entra's number for the error.
        challenge: Whether the response must carry ``WWW-Authenticate: Basic``.
        subcode: Entra's ``error_subcode``, where it has one.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        aadsts: int,
        status: int = 400,
        challenge: bool = False,
        subcode: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.aadsts = aadsts
        self.challenge = challenge
        self.subcode = subcode

    def description(self, trace: Trace | None = None) -> str:
        """Return the text of the error, followed by the ids of its trace."""
        text = f"AADSTS{self.aadsts}: {self}"
        if trace is None:
            return text
        return f"{text} Trace ID: {trace.trace_id} Correlation ID: {trace.correlation_id} Timestamp: {trace.timestamp}"

    def as_json(self, trace: Trace | None = None) -> dict[str, Any]:
        """Return the body of the token endpoint's response."""
        body: dict[str, Any] = {
            "error": self.code,
            "error_description": self.description(trace),
            "error_codes": [self.aadsts],
        }
        if trace is not None:
            body |= {
                "timestamp": trace.timestamp,
                "trace_id": trace.trace_id,
                "correlation_id": trace.correlation_id,
            }
        return body | ({"suberror": self.subcode} if self.subcode else {})

    def as_response(self, trace: Trace) -> dict[str, str]:
        """Return the parameters with which the browser is sent back to the app."""
        fields = {"error": self.code, "error_description": self.description(trace)}
        return fields | ({"error_subcode": self.subcode} if self.subcode else {})
