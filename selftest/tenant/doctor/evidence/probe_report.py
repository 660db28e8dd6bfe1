"""What was found out about the endpoint from outside: plain data, so that what it means can be judged apart."""

from dataclasses import dataclass
from typing import Literal

type Failure = Literal["name", "connect", "protocol", "certificate", "tls", "timeout", "http"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One request, in milliseconds from its own start.

    Attributes:
        connect_ms: until the TCP connection stood.
        tls_ms: of the handshake alone; 0 without TLS.
        first_byte_ms: from the request sent to the first byte of the answer.
    """

    connect_ms: float
    tls_ms: float
    first_byte_ms: float

    @property
    def total_ms(self) -> float:
        """Give all of it."""
        return self.connect_ms + self.tls_ms + self.first_byte_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer's head.

    Attributes:
        skew_s: the server's clock minus ours, in seconds, from the Date header; None without one.
    """

    status: int
    challenge: str | None
    skew_s: float | None
    timing: Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """All of it.

    Attributes:
        host: of the URL.
        secure: whether the URL is https.
        addresses: what the name resolved to; empty where it did not.
        failure: what kept a request from being answered, the first time; None where one was.
        tls_version: negotiated, such as ``TLSv1.3``; None without TLS.
        certificate_days: whole days until the certificate ends; None without one.
        refused: the answer to a call without a token.
        health: the answers of the health route, in order.
    """

    host: str
    secure: bool
    addresses: tuple[str, ...] = ()
    failure: Failure | None = None
    failure_text: str = ""
    tls_version: str | None = None
    certificate_days: int | None = None
    refused: Reply | None = None
    health: tuple[Reply, ...] = ()
