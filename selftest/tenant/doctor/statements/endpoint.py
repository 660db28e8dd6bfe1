"""D80 to D90: the endpoint as it looks from outside, judged from what a probe saw."""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from selftest.contract import DEFAULT_TIMEOUT_MS
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.diagnosis import CannotTell, NotConcerned, Problem, diagnosis
from selftest.tenant.doctor.evidence.probe_report import Failure, ProbeReport, Timing
from selftest.tenant.doctor.statements.az_rest import word
from selftest.tenant.doctor.statements.extension import private_reason

_UNREACHABLE: Final = 1003027
_LATE: Final = 1003005
_OVERVIEW: Final = "entra-docs identity-platform/custom-extension-overview.md"
_TROUBLESHOOT: Final = "entra-docs identity-platform/custom-extension-troubleshoot.md"
#: Certificates of Azure renew themselves weeks before; who has fewer days left renews by hand.
_CERTIFICATE_DAYS: Final = 14
#: The endpoint allows a token's times to be off by this much.
_SKEW_S: Final = 60
#: The way there and back may take this share of what Entra waits.
_SHARE: Final = 0.25
#: A first answer this much slower than the later ones is a start, not the network.
_COLD_MS: Final = 500
_SECURE_VERSIONS: Final = frozenset({"TLSv1.2", "TLSv1.3"})


@diagnosis(
    "D80",
    "the endpoint's name resolves",
    code=_UNREACHABLE,
    needs=("probe",),
    source=f"{_OVERVIEW}; {_TROUBLESHOOT} (1003027)",
    why="Entra cannot call a host that public DNS does not know.",
    fix="Azure portal > the function app > Overview > Default domain: compare; for a domain of yours, its DNS record.",
    explain="The host of the URL is looked up from here.",
)
def name_resolves(case: Case) -> Iterator[Problem]:
    """Look at the addresses."""
    probe = _probe(case)
    if probe.failure == "name":
        yield Problem(
            expected=f"an address of {probe.host}", actual=probe.failure_text, command=f"nslookup {word(probe.host)}"
        )


@diagnosis(
    "D81",
    "the endpoint's name resolves to public addresses",
    code=_UNREACHABLE,
    needs=("probe",),
    source=_OVERVIEW,
    why="Entra calls from Microsoft's network; a private endpoint is out of its reach.",
    fix="Azure portal > the function app > Settings > Networking: public access on, or a public gateway in front.",
    explain="No address of the host is private or loopback. A name in a network of yours may resolve to another "
    "address "
    "inside than outside: try from outside, too.",
)
def addresses_are_public(case: Case) -> Iterator[Problem]:
    """Look at each address; a URL that names this machine is meant to."""
    probe = _probe(case)
    if private_reason(probe.host) == "a loopback address" or probe.host == "localhost":
        raise NotConcerned
    if not probe.addresses:
        raise CannotTell("the name does not resolve (D80)")
    reasons = {address: private_reason(address) for address in probe.addresses}
    private = [f"{address} ({reason})" for address, reason in reasons.items() if reason is not None]
    if private:
        yield Problem(expected="addresses that the internet routes", actual=", ".join(private))


@diagnosis(
    "D82",
    "the endpoint takes connections",
    code=_UNREACHABLE,
    needs=("probe",),
    source=f"{_TROUBLESHOOT} (1003027)",
    why="Entra gives up, and the endpoint's own log shows nothing.",
    fix="Azure portal > the function app: started? Networking > Access restrictions: open to the internet or to the"
    " service tag AzureActiveDirectory?",
    explain="A TCP connection is opened, and a request answered, from here. What blocks Entra alone is not seen so.",
)
def takes_connections(case: Case) -> Iterator[Problem]:
    """Look at what kept the first request from being answered; a failed handshake had a connection."""
    if not _probe(case).addresses:
        raise CannotTell("the name does not resolve (D80)")
    yield from _failed(case, {"connect", "timeout", "http"}, "an answer")


@diagnosis(
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
def speaks_tls(case: Case) -> Iterator[Problem]:
    """Look at the version, or at the handshake that failed over it."""
    probe = _probe(case)
    if not probe.secure:
        if private_reason(probe.host) == "a loopback address" or probe.host == "localhost":
            raise NotConcerned
        yield Problem(expected="https", actual="plain http")
    elif probe.tls_version is not None and probe.tls_version not in _SECURE_VERSIONS:
        yield Problem(expected="TLS 1.2 or 1.3", actual=probe.tls_version)
    yield from _failed(case, {"protocol", "tls"}, "a handshake with TLS 1.2 or 1.3")
    if probe.secure and probe.tls_version is None and probe.failure not in {"protocol", "tls", "certificate"}:
        raise CannotTell("there was no handshake (D80, D82)")


@diagnosis(
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
def certificate_is_valid(case: Case) -> Iterator[Problem]:
    """Look at the verification."""
    probe = _probe(case)
    if not probe.secure:
        raise NotConcerned
    if probe.tls_version is None and probe.failure != "certificate":
        raise CannotTell("there was no handshake that came to the certificate (D80, D82, D83)")
    yield from _failed(case, {"certificate"}, f"a certificate for {probe.host} from a public authority")


@diagnosis(
    "D85",
    "the endpoint's certificate has weeks left",
    level="should",
    code=_UNREACHABLE,
    needs=("probe",),
    source="ours",
    why="On the day it ends every sign-in of the application fails.",
    fix="Azure portal > the function app > Settings > Certificates: renew it, or use a managed one.",
    explain=f"{_CERTIFICATE_DAYS} days or more are left.",
)
def certificate_lasts(case: Case) -> Iterator[Problem]:
    """Count the days."""
    days = _probe(case).certificate_days
    if not _probe(case).secure:
        raise NotConcerned
    if days is None:
        raise CannotTell("no certificate was verified (D84)")
    if days < _CERTIFICATE_DAYS:
        yield Problem(expected=f"{_CERTIFICATE_DAYS} days or more", actual=f"{days} days")


@diagnosis(
    "D86",
    "a call without a token is answered 401 with WWW-Authenticate: Bearer",
    code=1003002,
    needs=("probe",),
    source="RFC 6750, section 3",
    why="Another status means that something else answers, or that the endpoint answers anybody.",
    fix="Is the route right (404), does a gateway or App Service Authentication answer (302, 403), is the app up "
    "(5xx)?",
    explain="The event's route is posted to without an Authorization header.",
    bad="HTTP 200",
    good="HTTP 401, WWW-Authenticate: Bearer",
)
def stranger_is_refused(case: Case) -> Iterator[Problem]:
    """Look at the status and the challenge."""
    refused = _probe(case).refused
    if refused is None:
        raise CannotTell("the endpoint did not answer (D80 to D84)")
    scheme = (refused.challenge or "absent").partition(" ")[0]
    if refused.status != 401 or scheme.lower() != "bearer":
        with_what = f" with WWW-Authenticate: {scheme[:40]}" if refused.status == 401 else ""
        yield Problem(
            expected="HTTP 401 with WWW-Authenticate: Bearer",
            actual=f"HTTP {refused.status}{with_what}",
            command="python -m selftest check C --deployed --url <URL>",
        )


@diagnosis(
    "D87",
    "the way to the endpoint and back takes a small share of Entra's time",
    level="should",
    code=_LATE,
    needs=("probe",),
    source="ours: docs/timing-budget.md",
    why="What connection, handshake and the way there take is missing for the answer.",
    fix="Host the app in a region near the tenant's; keep a gateway out of the way.",
    explain="Medians of new connections, from here, which is not where Entra is: TCP, TLS, and the first byte of a "
    f"refusal. Together at most {_SHARE:.0%} of the time that Entra waits.",
)
def way_is_short(case: Case) -> Iterator[Problem]:
    """Add the medians up."""
    timings = [reply.timing for reply in _probe(case).health]
    if not timings:
        raise CannotTell("the endpoint did not answer (D80 to D84)")
    timeout_ms = _timeout_ms(case)

    def of(part: Callable[[Timing], float]) -> float:
        return median(part(timing) for timing in timings)

    connect_ms, tls_ms, byte_ms = of(lambda t: t.connect_ms), of(lambda t: t.tls_ms), of(lambda t: t.first_byte_ms)
    total_ms = connect_ms + tls_ms + byte_ms
    if total_ms > _SHARE * timeout_ms:
        yield Problem(
            expected=f"at most {_SHARE * timeout_ms:.0f} ms of {timeout_ms}",
            actual=f"{total_ms:.0f} ms: connect {connect_ms:.0f}, TLS {tls_ms:.0f}, first byte {byte_ms:.0f}",
        )


@diagnosis(
    "D88",
    "the endpoint is ready",
    level="should",
    code=1003002,
    needs=("probe",),
    source="ours: GET /api/health",
    why="Without signing keys it refuses every token; an endpoint of another make has no such route.",
    fix="Read the reason in the answer: curl <URL of the health route>.",
    explain="The health route beside the event's route answers 200.",
)
def is_ready(case: Case) -> Iterator[Problem]:
    """Look at the last answer."""
    health = _probe(case).health
    if not health:
        raise CannotTell("the endpoint did not answer (D80 to D84)")
    if health[-1].status != 200:
        yield Problem(expected="HTTP 200 from the health route", actual=f"HTTP {health[-1].status}")


@diagnosis(
    "D89",
    "the first answer comes as fast as the later ones",
    level="should",
    code=_LATE,
    needs=("probe",),
    source=f"{_TROUBLESHOOT} (performance)",
    why="A first call that waits for a start is the one that Entra gives up on.",
    fix="A plan that keeps the app warm: Flex Consumption with always-ready instances, Premium, or Dedicated.",
    explain=f"The first request takes at most {_COLD_MS} ms longer than the median of the later ones. A hint from "
    "a single "
    "start: an app that was warm by chance shows nothing.",
)
def starts_warm(case: Case) -> Iterator[Problem]:
    """Compare the first with the rest."""
    probe = _probe(case)
    if probe.refused is None or not probe.health:
        raise CannotTell("the endpoint did not answer (D80 to D84)")
    first_ms, later_ms = probe.refused.timing.total_ms, median(reply.timing.total_ms for reply in probe.health)
    if first_ms > later_ms + _COLD_MS:
        yield Problem(
            expected=f"about {later_ms:.0f} ms",
            actual=f"{first_ms:.0f} ms for the first",
            command="python -m selftest load",
        )


@diagnosis(
    "D90",
    "the endpoint's clock is right",
    code=1003002,
    needs=("probe",),
    source="RFC 9110, section 6.6.1; ours: the endpoint allows 60 seconds",
    why="With a clock that is off, tokens are not yet or no longer valid, and Entra is refused.",
    fix="Is the clock of this machine right? In Azure, restart the app; elsewhere, synchronise the host.",
    explain="The Date header of its answers is compared with this machine's clock.",
)
def clock_is_right(case: Case) -> Iterator[Problem]:
    """Compare the clocks."""
    probe = _probe(case)
    replies = [reply for reply in (probe.refused, *probe.health) if reply is not None and reply.skew_s is not None]
    skews = [reply.skew_s for reply in replies if reply.skew_s is not None]
    if not skews:
        raise CannotTell("no answer carries a Date header")
    skew_s = median(skews)
    if abs(skew_s) > _SKEW_S:
        yield Problem(expected=f"within {_SKEW_S} s of this machine's", actual=f"{skew_s:+.0f} s")


def _probe(case: Case) -> ProbeReport:
    if case.probe is None:
        raise LookupError("the endpoint was not probed")
    return case.probe


def _failed(case: Case, failures: set[Failure], expected: str) -> Iterator[Problem]:
    probe = _probe(case)
    if probe.failure in failures:
        yield Problem(expected=expected, actual=probe.failure_text)


def _timeout_ms(case: Case) -> int:
    """Give the shortest time that Entra waits for one of the extensions, Microsoft's longest where none is known."""
    known = [one.call.timeout_ms or DEFAULT_TIMEOUT_MS for one in case.extensions]
    return min(known, default=2000)
