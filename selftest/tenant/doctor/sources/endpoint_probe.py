"""A few calls of the endpoint from outside: its name, certificate, refusal, health, and how long each phase takes.

The standard library's blocking client with one connection a request: each phase can be timed, and the cost of a new
connection is visible, as it is for Entra. No token and no event is sent. Bodies of replies are not read.
"""

import contextlib
import datetime as dt
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Final

from yarl import URL

from selftest.base.endpoint_url import health_url
from selftest.tenant.doctor.evidence.probe_report import ProbeFailure, ProbeReply, ProbeReport, Timing

#: One call without a token and these of the health route: few enough for any endpoint.
HEALTH_REQUESTS: Final = 5
REQUESTS: Final = 1 + HEALTH_REQUESTS
#: Public DNS has it, and an endpoint cannot work without it: a machine that does not resolve it has no resolver.
_KNOWN_HOST: Final = "login.microsoftonline.com"
#: Five times Entra's timeout: a later reply is useless.
_DEADLINE_S: Final = 10.0
_OLD_PROTOCOL: Final = (
    "UNSUPPORTED_PROTOCOL",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "NO_PROTOCOLS_AVAILABLE",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "WRONG_SSL_VERSION",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY",
)


def _look_up(host: str | None, port: int | None) -> Sequence[Any]:
    return socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The clocks and certificates of a probe.

    Attributes:
        context: Verifies certificates; None uses the authorities of this machine.
        clock: Returns seconds since 1970.
        stopwatch: Returns monotonic seconds.
        deadline_s: For one request, in seconds.
        lookup: Returns the addresses of a host and a port as `socket.getaddrinfo` does.
    """

    context: ssl.SSLContext | None = None
    clock: Callable[[], float] = time.time
    stopwatch: Callable[[], float] = time.perf_counter
    deadline_s: float = _DEADLINE_S
    lookup: Callable[[str | None, int | None], Sequence[Any]] = _look_up


def probe(url: str, means: Means | None = None) -> ProbeReport:
    """Call the endpoint at most `REQUESTS` times, and stop at the first request that is not answered."""
    used = means or Means()
    event, health = URL(url), URL(health_url(url))
    report = ProbeReport(host=event.host or "", secure=event.scheme == "https")
    try:
        found = used.lookup(event.host, event.port)
    except UnicodeError:
        return replace(report, failure="name", failure_text="no host can have this name")
    except OSError:
        if _resolves(_KNOWN_HOST, used):
            return replace(report, failure="name", failure_text="it does not resolve")
        return replace(report, failure="no-resolver", failure_text=f"nor does {_KNOWN_HOST}")
    report = replace(report, addresses=tuple(dict.fromkeys(str(entry[4][0]) for entry in found)))
    report, refused = _try(report, "POST", event, used)
    if refused is None:
        return report
    report = replace(report, refused=refused)
    for _ in range(HEALTH_REQUESTS):
        report, answer = _try(report, "GET", health, used)
        if answer is None:
            break
        report = replace(report, health=(*report.health, answer))
    return report


def _resolves(host: str, means: Means) -> bool:
    try:
        return bool(means.lookup(host, 443))
    except OSError:
        return False


def _try(report: ProbeReport, method: str, url: URL, means: Means) -> tuple[ProbeReport, ProbeReply | None]:
    """Send one request, and add to the report what the connection shows, or the failure."""
    try:
        return _send(report, method, url, means)
    except (OSError, http.client.HTTPException, ValueError) as error:
        failure, text = _why(error, means)
        return replace(report, failure=failure, failure_text=text), None


def _send(report: ProbeReport, method: str, url: URL, means: Means) -> tuple[ProbeReport, ProbeReply]:
    watch = means.stopwatch
    start_s = watch()
    plain = socket.create_connection((url.host or "", url.port or 443), timeout=means.deadline_s)
    sockets = [plain]
    with contextlib.ExitStack() as stack:
        stack.callback(_close, sockets)
        stack.enter_context(_deadline(sockets, means.deadline_s))
        connected_s = watch()
        secured_s = connected_s
        if url.scheme == "https":
            context = means.context or ssl.create_default_context()
            secured = context.wrap_socket(plain, server_hostname=url.host)
            secured_s = watch()
            sockets.append(secured)
            report = _with_connection(report, secured, means)
        head = stack.enter_context(contextlib.closing(_exchange(sockets[-1], method, url)))
        timing = Timing(
            connect_ms=(connected_s - start_s) * 1000,
            tls_ms=(secured_s - connected_s) * 1000,
            first_byte_ms=(watch() - secured_s) * 1000,
        )
        return report, ProbeReply(
            status=head.status,
            challenge=head.getheader("WWW-Authenticate"),
            skew_s=_skew_s(head.getheader("Date"), means.clock()),
            timing=timing,
        )


def _exchange(used: socket.socket, method: str, url: URL) -> http.client.HTTPResponse:
    """Send the request on a connection and read the head of the reply."""
    connection = http.client.HTTPConnection(url.host or "", url.port)
    connection.sock = used
    host = url.host_port_subcomponent or ""
    headers = {"Host": host, "Connection": "close", "User-Agent": "selftest-doctor", "Accept": "application/json"}
    if method == "POST":
        connection.request(method, url.raw_path_qs, b"{}", headers | {"Content-Type": "application/json"})
    else:
        connection.request(method, url.raw_path_qs, headers=headers)
    return connection.getresponse()


def _with_connection(report: ProbeReport, used: ssl.SSLSocket, means: Means) -> ProbeReport:
    certificate = used.getpeercert() or {}
    ends = certificate.get("notAfter")
    days = None if not isinstance(ends, str) else int((ssl.cert_time_to_seconds(ends) - means.clock()) // 86400)
    return replace(report, tls_version=used.version(), certificate_days=days)


@contextlib.contextmanager
def _deadline(sockets: Sequence[socket.socket], seconds: float) -> Iterator[None]:
    """Close a connection at a deadline: a socket's own timeout is for one read, and there may be many.

    Raises:
        TimeoutError: The deadline passed; half of a reply's head looks like a complete one.
    """
    late = threading.Event()

    def stop() -> None:
        late.set()
        with contextlib.suppress(OSError):
            sockets[-1].shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError


def _close(sockets: Sequence[socket.socket]) -> None:
    """Close the last socket: TLS takes over the plain one."""
    sockets[-1].close()


def _skew_s(date: str | None, now_s: float) -> float | None:
    """Return the Date header minus our clock; the header has whole seconds, so half a second is added."""
    if date is None:
        return None
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    aware = theirs if theirs.tzinfo is not None else theirs.replace(tzinfo=dt.UTC)
    return aware.timestamp() + 0.5 - now_s


def _why(error: Exception, means: Means) -> tuple[ProbeFailure, str]:
    """Return the failure in our words; a server's text is not repeated."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate", error.verify_message
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "unknown"
        failure: ProbeFailure = "protocol" if any(old in reason for old in _OLD_PROTOCOL) else "tls"
        return failure, f"the handshake failed: {reason.lower().replace('_', ' ')}"
    if isinstance(error, TimeoutError):
        return "timeout", f"nothing within {means.deadline_s:.0f} s"
    if isinstance(error, http.client.HTTPException | ValueError):
        return "http", f"an answer that is not HTTP ({type(error).__name__})"
    return "connect", (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
