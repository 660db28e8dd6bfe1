"""What a probe observes of the endpoint from outside, as plain data; the statements judge it."""

from dataclasses import dataclass
from typing import Literal

type ProbeFailure = Literal["name", "no-resolver", "connect", "protocol", "certificate", "tls", "timeout", "http"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The phases of one request, in milliseconds.

    Attributes:
        connect_ms: Until the TCP connection was open.
        tls_ms: The handshake; 0 without TLS.
        first_byte_ms: From the request sent to the first byte of the reply.
    """

    connect_ms: float
    tls_ms: float
    first_byte_ms: float

    @property
    def total_ms(self) -> float:
        """Return the sum of the phases."""
        return self.connect_ms + self.tls_ms + self.first_byte_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReply:
    """The head of a reply.

    Attributes:
        skew_s: The server's clock minus this machine's, in seconds, from the Date header; None without one.
    """

    status: int
    challenge: str | None
    skew_s: float | None
    timing: Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """The result of a probe.

    Attributes:
        addresses: What the name resolved to; empty where it did not resolve.
        failure: Why the first unanswered request was not answered; None where all were.
        tls_version: Negotiated, such as ``TLSv1.3``; None without TLS.
        certificate_days: Whole days until the certificate expires; None without one.
        refused: The reply to a call without a token.
        health: The replies of the health route, in order.
    """

    host: str
    secure: bool
    addresses: tuple[str, ...] = ()
    failure: ProbeFailure | None = None
    failure_text: str = ""
    tls_version: str | None = None
    certificate_days: int | None = None
    refused: ProbeReply | None = None
    health: tuple[ProbeReply, ...] = ()
