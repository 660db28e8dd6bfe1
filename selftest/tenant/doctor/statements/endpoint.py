"""D80 to D90: the endpoint from outside, judged from a probe's report."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from statistics import median
from typing import Final

from selftest.base.program import PROGRAM
from selftest.contract import DEFAULT_TIMEOUT_MS
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.probe_report import ProbeFailure, ProbeReport, Timing
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import word
from selftest.tenant.doctor.statements.extension import private_reason

#: Azure renews its certificates weeks earlier; fewer days mean a manual renewal.
CERTIFICATE_DAYS: Final = 14
#: The tolerance of the endpoint for a token's times.
SKEW_S: Final = 60
#: The largest acceptable share of Entra's timeout for the network round trip.
SHARE: Final = 0.25
#: A first reply slower than the later ones by this much means a cold start, not the network.
COLD_MS: Final = 500
_SECURE_VERSIONS: Final = frozenset({"TLSv1.2", "TLSv1.3"})


@statement("D80", "probe")
def name_resolves(case: Case) -> Iterator[TenantFinding]:
    """Check for a failed lookup."""
    probe = case.required_probe
    if probe.failure == "no-resolver":
        raise EvidenceMissing(
            f"{probe.host} does not resolve here, {probe.failure_text}: this machine resolves no public name; try "
            "another one",
            asked=True,
        )
    if probe.failure == "name":
        yield TenantFinding(
            expected=f"an address of {probe.host}", actual=probe.failure_text, command=f"nslookup {word(probe.host)}"
        )


@statement("D81", "probe")
def addresses_are_public(case: Case) -> Iterator[TenantFinding]:
    """Check each address; a URL that names this machine does so on purpose."""
    probe = case.required_probe
    if private_reason(probe.host) == "a loopback address" or probe.host == "localhost":
        raise NotApplicable
    if not probe.addresses:
        raise EvidenceMissing("no address of the name is known (D80)")
    reasons = {address: private_reason(address) for address in probe.addresses}
    private = [f"{address} ({reason})" for address, reason in reasons.items() if reason is not None]
    if private:
        yield TenantFinding(expected="addresses that the internet routes", actual=", ".join(private))


@statement("D82", "probe")
def takes_connections(case: Case) -> Iterator[TenantFinding]:
    """Check why the first request was not answered; a failed handshake had a connection."""
    if not case.required_probe.addresses:
        raise EvidenceMissing("no address of the name is known (D80)")
    yield from _failed(case, {"connect", "timeout", "http"}, "an answer")


@statement("D83", "probe")
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


@statement("D84", "probe")
def certificate_is_valid(case: Case) -> Iterator[TenantFinding]:
    """Check the verification."""
    probe = case.required_probe
    if not probe.secure:
        raise NotApplicable
    if probe.tls_version is None and probe.failure != "certificate":
        raise EvidenceMissing("no handshake reached the certificate (D80, D82, D83)")
    yield from _failed(case, {"certificate"}, f"a certificate for {probe.host} from a public authority")


@statement("D85", "probe")
def certificate_lasts(case: Case) -> Iterator[TenantFinding]:
    """Count the days."""
    days = case.required_probe.certificate_days
    if not case.required_probe.secure:
        raise NotApplicable
    if days is None:
        raise EvidenceMissing("no certificate was verified (D84)")
    if days < CERTIFICATE_DAYS:
        yield TenantFinding(expected=f"{CERTIFICATE_DAYS} days or more", actual=f"{days} days")


@statement("D86", "probe")
def stranger_is_refused(case: Case) -> Iterator[TenantFinding]:
    """Check the status and the challenge."""
    refused = case.required_probe.refused
    if refused is None:
        raise EvidenceMissing("the endpoint did not answer (D80 to D84)")
    scheme = (refused.challenge or "absent").partition(" ")[0]
    if refused.status != 401 or scheme.lower() != "bearer":
        with_what = f" with WWW-Authenticate: {scheme[:40]}" if refused.status == 401 else _of_404(case.required_probe)
        yield TenantFinding(
            expected="HTTP 401 with WWW-Authenticate: Bearer",
            actual=f"HTTP {refused.status}{with_what}",
            command=f"{PROGRAM} explain 1003002",
        )


@statement("D87", "probe")
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
    if total_ms > SHARE * timeout_ms:
        yield TenantFinding(
            expected=f"at most {SHARE * timeout_ms:.0f} ms of {timeout_ms}",
            actual=f"{total_ms:.0f} ms: connect {connect_ms:.0f}, TLS {tls_ms:.0f}, first byte {byte_ms:.0f}",
        )


@statement("D88", "probe")
def is_ready(case: Case) -> Iterator[TenantFinding]:
    """Check the last reply."""
    health = case.required_probe.health
    if not health:
        raise EvidenceMissing("the endpoint did not answer (D80 to D84)")
    if health[-1].status != 200:
        yield TenantFinding(expected="HTTP 200 from the health route", actual=f"HTTP {health[-1].status}")


@statement("D89", "probe")
def starts_warm(case: Case) -> Iterator[TenantFinding]:
    """Compare the first reply with the others."""
    probe = case.required_probe
    if probe.refused is None or not probe.health:
        raise EvidenceMissing("the endpoint did not answer (D80 to D84)")
    url = word(f"{'https' if probe.secure else 'http'}://{probe.host}")
    first_ms, later_ms = probe.refused.timing.total_ms, median(reply.timing.total_ms for reply in probe.health)
    if first_ms > later_ms + COLD_MS:
        yield TenantFinding(
            expected=f"about {later_ms:.0f} ms",
            actual=f"{first_ms:.0f} ms for the first",
            command=f"{PROGRAM} load --deployed --url {url} --token-file FILE",
        )


@statement("D90", "probe")
def clock_is_right(case: Case) -> Iterator[TenantFinding]:
    """Compare the clocks."""
    probe = case.required_probe
    replies = [reply for reply in (probe.refused, *probe.health) if reply is not None and reply.skew_s is not None]
    skews = [reply.skew_s for reply in replies if reply.skew_s is not None]
    if not skews:
        raise EvidenceMissing("no reply has a Date header")
    skew_s = median(skews)
    if abs(skew_s) > SKEW_S:
        yield TenantFinding(expected=f"within {SKEW_S} s of this machine's", actual=f"{skew_s:+.0f} s")


def _of_404(probe: ProbeReport) -> str:
    """Return what a status 404 means: the classic worker, up to Python 3.12, answers it where the app did not start."""
    if probe.refused is None or probe.refused.status != HTTPStatus.NOT_FOUND:
        return ""
    if not probe.health:
        return ", and the health route did not answer"
    if all(reply.status == HTTPStatus.NOT_FOUND for reply in probe.health):
        return (
            ", and 404 from the health route: this is the URL of another app, or, on Python up to 3.12, the app did "
            "not start (settings or imports; D01 judges the settings)"
        )
    return f", and {probe.health[-1].status} from the health route: the app started, and the URL has another route"


def _failed(case: Case, failures: set[ProbeFailure], expected: str) -> Iterator[TenantFinding]:
    probe = case.required_probe
    if probe.failure in failures:
        yield TenantFinding(expected=expected, actual=probe.failure_text)


def _timeout_ms(case: Case) -> int:
    """Return the shortest timeout of the extensions, or Microsoft's maximum where there is none."""
    known = [one.call.timeout_ms or DEFAULT_TIMEOUT_MS for one in case.extensions]
    return min(known, default=2000)
