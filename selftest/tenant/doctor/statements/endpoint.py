"""D80 to D90: the endpoint from outside, judged from a probe's report."""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from selftest.contract import DEFAULT_TIMEOUT_MS
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.probe_report import ProbeFailure, Timing
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import word
from selftest.tenant.doctor.statements.extension import private_reason

_UNREACHABLE: Final = 1003027
_LATE: Final = 1003005
_OVERVIEW: Final = "entra-docs identity-platform/custom-extension-overview.md"
_TROUBLESHOOT: Final = "entra-docs identity-platform/custom-extension-troubleshoot.md"
#: Azure renews its certificates weeks earlier; fewer days mean a manual renewal.
_CERTIFICATE_DAYS: Final = 14
#: The tolerance of the endpoint for a token's times.
_SKEW_S: Final = 60
#: The largest acceptable share of Entra's timeout for the network round trip.
_SHARE: Final = 0.25
#: A first reply slower than the later ones by this much means a cold start, not the network.
_COLD_MS: Final = 500
_SECURE_VERSIONS: Final = frozenset({"TLSv1.2", "TLSv1.3"})


@statement(
    "D80",
    "the endpoint's name resolves",
    code=_UNREACHABLE,
    needs=("probe",),
    source=f"{_OVERVIEW}; {_TROUBLESHOOT} (1003027)",
    why="Entra cannot call a host that public DNS does not know.",
    fix="Azure portal > the function app > Overview > Default domain: compare; for a domain of yours, its DNS record.",
    explain="The host of the URL is looked up from here.",
)
def name_resolves(case: Case) -> Iterator[TenantFinding]:
    """Check for a failed lookup."""
    probe = case.required_probe
    if probe.failure == "name":
        yield TenantFinding(
            expected=f"an address of {probe.host}", actual=probe.failure_text, command=f"nslookup {word(probe.host)}"
        )


@statement(
    "D81",
    "the endpoint's name resolves to public addresses",
    code=_UNREACHABLE,
    needs=("probe",),
    source=_OVERVIEW,
    why="Entra calls from Microsoft's network and cannot reach a private endpoint.",
    fix="Azure portal > the function app > Settings > Networking: public access on, or a public gateway in front.",
    explain="No address of the host is private or loopback. Inside your network a name may resolve to another address "
    "than outside: try from outside, too.",
)
def addresses_are_public(case: Case) -> Iterator[TenantFinding]:
    """Check each address; a URL that names this machine does so on purpose."""
    probe = case.required_probe
    if private_reason(probe.host) == "a loopback address" or probe.host == "localhost":
        raise NotApplicable
    if not probe.addresses:
        raise EvidenceMissing("the name does not resolve (D80)")
    reasons = {address: private_reason(address) for address in probe.addresses}
    private = [f"{address} ({reason})" for address, reason in reasons.items() if reason is not None]
    if private:
        yield TenantFinding(expected="addresses that the internet routes", actual=", ".join(private))


@statement(
    "D82",
    "the endpoint accepts connections",
    code=_UNREACHABLE,
    needs=("probe",),
    source=f"{_TROUBLESHOOT} (1003027)",
    why="Entra gives up, and the endpoint's log shows nothing.",
    fix="Azure portal > the function app: started? Networking > Access restrictions: open to the internet or to the"
    " service tag AzureActiveDirectory?",
    explain="A TCP connection is opened, and a request answered, from here. A block for Entra only is not visible.",
)
def takes_connections(case: Case) -> Iterator[TenantFinding]:
    """Check why the first request was not answered; a failed handshake had a connection."""
    if not case.required_probe.addresses:
        raise EvidenceMissing("the name does not resolve (D80)")
    yield from _failed(case, {"connect", "timeout", "http"}, "an answer")


@statement(
    "D83",
    "the endpoint speaks TLS 1.2 or newer",
    code=_UNREACHABLE,
    needs=("probe",),
    source="Microsoft's services refuse older versions; RFC 8996",
    why="Entra opens no connection with an older version, and none without TLS.",
    fix="Azure portal > the function app > Settings > Configuration > Minimum inbound TLS version: 1.2; HTTPS "
    "only: on.",
    explain="The version that the endpoint agrees to is TLSv1.2 or TLSv1.3. Plain http is for this machine only.",
)
def speaks_tls(case: Case) -> Iterator[TenantFinding]:
    """Check the version, or the handshake that failed."""
    probe = case.required_probe
    if not probe.secure:
        if private_reason(probe.host) == "a loopback address" or probe.host == "localhost":
            raise NotApplicable
        yield TenantFinding(expected="https", actual="plain http")
    elif probe.tls_version is not None and probe.tls_version not in _SECURE_VERSIONS:
        yield TenantFinding(expected="TLS 1.2 or 1.3", actual=probe.tls_version)
    yield from _failed(case, {"protocol", "tls"}, "a handshake with TLS 1.2 or 1.3")
    if probe.secure and probe.tls_version is None and probe.failure not in {"protocol", "tls", "certificate"}:
        raise EvidenceMissing("there was no handshake (D80, D82)")


@statement(
    "D84",
    "the endpoint's certificate is valid for its name, with its chain",
    code=_UNREACHABLE,
    needs=("probe",),
    source=f"{_TROUBLESHOOT} (1003027)",
    why="Entra verifies the certificate; a browser may hide a missing chain, a service does not.",
    fix="Azure portal > the function app > Settings > Custom domains > the binding: a certificate for the name, whole.",
    explain="The handshake verifies the chain, the name and the dates against the certificate authorities of "
    "this machine.",
)
def certificate_is_valid(case: Case) -> Iterator[TenantFinding]:
    """Check the verification."""
    probe = case.required_probe
    if not probe.secure:
        raise NotApplicable
    if probe.tls_version is None and probe.failure != "certificate":
        raise EvidenceMissing("no handshake reached the certificate (D80, D82, D83)")
    yield from _failed(case, {"certificate"}, f"a certificate for {probe.host} from a public authority")


@statement(
    "D85",
    "the endpoint's certificate has weeks left",
    level="hardening",
    code=_UNREACHABLE,
    needs=("probe",),
    source="ours",
    why="From the day it expires every sign-in of the application fails.",
    fix="Azure portal > the function app > Settings > Certificates: renew it, or use a managed one.",
    explain=f"{_CERTIFICATE_DAYS} days or more are left.",
)
def certificate_lasts(case: Case) -> Iterator[TenantFinding]:
    """Count the days."""
    days = case.required_probe.certificate_days
    if not case.required_probe.secure:
        raise NotApplicable
    if days is None:
        raise EvidenceMissing("no certificate was verified (D84)")
    if days < _CERTIFICATE_DAYS:
        yield TenantFinding(expected=f"{_CERTIFICATE_DAYS} days or more", actual=f"{days} days")


@statement(
    "D86",
    "a call without a token is answered 401 with WWW-Authenticate: Bearer",
    code=1003002,
    needs=("probe",),
    source="RFC 6750, section 3",
    why="Another status means that something else answers, or that the endpoint accepts any caller.",
    fix="Is the route right (404), does a gateway or App Service Authentication answer (302, 403), is the app up "
    "(5xx)?",
    explain="A POST request without an Authorization header is sent to the event's route.",
    bad="HTTP 200",
    good="HTTP 401, WWW-Authenticate: Bearer",
)
def stranger_is_refused(case: Case) -> Iterator[TenantFinding]:
    """Check the status and the challenge."""
    refused = case.required_probe.refused
    if refused is None:
        raise EvidenceMissing("the endpoint did not answer (D80 to D84)")
    scheme = (refused.challenge or "absent").partition(" ")[0]
    if refused.status != 401 or scheme.lower() != "bearer":
        with_what = f" with WWW-Authenticate: {scheme[:40]}" if refused.status == 401 else ""
        yield TenantFinding(
            expected="HTTP 401 with WWW-Authenticate: Bearer",
            actual=f"HTTP {refused.status}{with_what}",
            command="python -m selftest check C --deployed --url <URL>",
        )


@statement(
    "D87",
    "the network round trip takes a small share of Entra's timeout",
    level="hardening",
    code=_LATE,
    needs=("probe",),
    source="ours: docs/timing-budget.md",
    why="Time for connection, handshake and network is not available for the reply.",
    fix="Host the app in a region near the tenant's; avoid a gateway in front.",
    explain="Medians of new connections from here, which is not Entra's location: TCP, TLS, and the first byte of a "
    f"reply. Together at most {_SHARE:.0%} of the time that Entra waits.",
)
def way_is_short(case: Case) -> Iterator[TenantFinding]:
    """Add up the medians."""
    timings = [reply.timing for reply in case.required_probe.health]
    if not timings:
        raise EvidenceMissing("the endpoint did not answer (D80 to D84)")
    timeout_ms = _timeout_ms(case)

    def of(part: Callable[[Timing], float]) -> float:
        return median(part(timing) for timing in timings)

    connect_ms, tls_ms, byte_ms = of(lambda t: t.connect_ms), of(lambda t: t.tls_ms), of(lambda t: t.first_byte_ms)
    total_ms = connect_ms + tls_ms + byte_ms
    if total_ms > _SHARE * timeout_ms:
        yield TenantFinding(
            expected=f"at most {_SHARE * timeout_ms:.0f} ms of {timeout_ms}",
            actual=f"{total_ms:.0f} ms: connect {connect_ms:.0f}, TLS {tls_ms:.0f}, first byte {byte_ms:.0f}",
        )


@statement(
    "D88",
    "the endpoint is ready",
    level="hardening",
    code=1003002,
    needs=("probe",),
    source="ours: GET /api/health",
    why="Without signing keys it refuses every token. Another implementation may not have this route.",
    fix="Read the reason in the reply: curl <URL of the health route>.",
    explain="The health route next to the event's route answers 200.",
)
def is_ready(case: Case) -> Iterator[TenantFinding]:
    """Check the last reply."""
    health = case.required_probe.health
    if not health:
        raise EvidenceMissing("the endpoint did not answer (D80 to D84)")
    if health[-1].status != 200:
        yield TenantFinding(expected="HTTP 200 from the health route", actual=f"HTTP {health[-1].status}")


@statement(
    "D89",
    "the first reply is as fast as the later ones",
    level="hardening",
    code=_LATE,
    needs=("probe",),
    source=f"{_TROUBLESHOOT} (performance)",
    why="Entra gives up on a first call that waits for a cold start.",
    fix="A plan that keeps the app warm: Flex Consumption with always-ready instances, Premium, or Dedicated.",
    explain=f"The first request takes at most {_COLD_MS} ms longer than the median of the later ones. A hint from a "
    "single start: an app that was already warm shows nothing.",
)
def starts_warm(case: Case) -> Iterator[TenantFinding]:
    """Compare the first reply with the others."""
    probe = case.required_probe
    if probe.refused is None or not probe.health:
        raise EvidenceMissing("the endpoint did not answer (D80 to D84)")
    first_ms, later_ms = probe.refused.timing.total_ms, median(reply.timing.total_ms for reply in probe.health)
    if first_ms > later_ms + _COLD_MS:
        yield TenantFinding(
            expected=f"about {later_ms:.0f} ms",
            actual=f"{first_ms:.0f} ms for the first",
            command="python -m selftest load",
        )


@statement(
    "D90",
    "the endpoint's clock is correct",
    code=1003002,
    needs=("probe",),
    source="RFC 9110, section 6.6.1; ours: the endpoint allows 60 seconds",
    why="With a wrong clock, tokens are not yet or no longer valid, and Entra is refused.",
    fix="Is the clock of this machine correct? In Azure, restart the app; elsewhere, synchronize the host.",
    explain="The Date header of its replies is compared with this machine's clock.",
)
def clock_is_right(case: Case) -> Iterator[TenantFinding]:
    """Compare the clocks."""
    probe = case.required_probe
    replies = [reply for reply in (probe.refused, *probe.health) if reply is not None and reply.skew_s is not None]
    skews = [reply.skew_s for reply in replies if reply.skew_s is not None]
    if not skews:
        raise EvidenceMissing("no reply has a Date header")
    skew_s = median(skews)
    if abs(skew_s) > _SKEW_S:
        yield TenantFinding(expected=f"within {_SKEW_S} s of this machine's", actual=f"{skew_s:+.0f} s")


def _failed(case: Case, failures: set[ProbeFailure], expected: str) -> Iterator[TenantFinding]:
    probe = case.required_probe
    if probe.failure in failures:
        yield TenantFinding(expected=expected, actual=probe.failure_text)


def _timeout_ms(case: Case) -> int:
    """Return the shortest timeout of the extensions, or Microsoft's maximum where there is none."""
    known = [one.call.timeout_ms or DEFAULT_TIMEOUT_MS for one in case.extensions]
    return min(known, default=2000)
