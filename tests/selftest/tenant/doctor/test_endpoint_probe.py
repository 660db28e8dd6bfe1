"""The endpoint from outside: real servers on this machine, good and bad, and what the doctor makes of them."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest
import trustme

from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.base.sample_tenant import local_tenant
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.play.target import endpoint_settings
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.diagnosis import Diagnosis, diagnose
from selftest.tenant.doctor.evidence.probe_report import ProbeFailure, ProbeReply, ProbeReport, Timing
from selftest.tenant.doctor.sources.endpoint_probe import REQUESTS, Means, probe
from selftest.tenant.doctor.statements import TENANT_STATEMENTS
from tests.checkout import ROOT

PATH = CALLOUT_PATH
FAST = Timing(connect_ms=1.0, tls_ms=2.0, first_byte_ms=5.0)


@dataclass(frozen=True)
class Manner:
    """How a server answers.

    Attributes:
        skew_s: what its clock is ahead.
    """

    refusal: int = 401
    challenge: str | None = "Bearer"
    health: int = 200
    skew_s: float = 0.0
    garbage: bytes | None = None
    silent: bool = False
    drips: bool = False


class _Listening(ThreadingHTTPServer):
    """Takes connections, and says nothing of handshakes that fail on purpose."""

    def __init__(self, manner: Manner) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.manner = manner
        self.over = threading.Event()
        self.asked: list[str] = []

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


class _Handler(BaseHTTPRequestHandler):
    """Answers in the server's manner."""

    server: _Listening

    def do_POST(self) -> None:
        self._answer(self.server.manner.refusal)

    def do_GET(self) -> None:
        self._answer(self.server.manner.health)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, status: int) -> None:
        manner, over = self.server.manner, self.server.over
        self.server.asked.append(f"{self.command} {self.path} {self.headers.get('Authorization')}")
        if manner.silent:
            over.wait(5)
        if manner.garbage is not None:
            self.wfile.write(manner.garbage)
            return
        self.send_response_only(status)
        now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=manner.skew_s)
        self.send_header("Date", format_datetime(now, usegmt=True))
        if manner.drips:
            self._drip(over)
        if status == 401 and manner.challenge is not None:
            self.send_header("WWW-Authenticate", manner.challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _drip(self, over: threading.Event) -> None:
        """Send a header byte by byte, each soon enough for a timeout of one read."""
        self.flush_headers()
        self.wfile.write(b"X-Slow: ")
        for _ in range(30):
            over.wait(0.05)
            self.wfile.write(b"x")
        self.wfile.write(b"\r\n")


class Server:
    """One HTTP server on the loopback interface, with or without TLS."""

    def __init__(self, manner: Manner, context: ssl.SSLContext | None = None) -> None:
        self._server = _Listening(manner)
        self.scheme = "http"
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self.scheme = "https"

    @property
    def asked(self) -> list[str]:
        """Give the requests so far: method, path, and the authorization."""
        return self._server.asked

    def url(self, host: str = "localhost") -> str:
        """Give the URL of the event's route."""
        return f"{self.scheme}://{host}:{self._server.server_port}{PATH}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make a certificate authority that nobody else believes."""
    return trustme.CA()


def served(authority: trustme.CA, name: str = "localhost", **options: Any) -> ssl.SSLContext:
    """Make a server's context with a certificate for a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


def believing(authority: trustme.CA) -> Means:
    """Believe an authority, and give up after a second."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return Means(context=context, deadline_s=1.0)


def judged(report: ProbeReport) -> Diagnosis:
    """Try the statements about the endpoint alone."""
    return diagnose(Case(probe=report), [one for one in TENANT_STATEMENTS.values() if one.needs == ("probe",)])


def bad(findings: Diagnosis) -> tuple[set[str], set[str]]:
    """Give what is wrong and what is hinted at."""
    return (
        {one.statement.id for one, _ in findings.faults},
        {one.statement.id for one, _ in findings.hints},
    )


def test_good_endpoint_has_nothing(authority: trustme.CA) -> None:
    """TLS, a refusal, six requests, none with a token."""
    with Server(Manner(), served(authority)) as server:
        report = probe(server.url() + "?code=key", believing(authority))

    assert bad(judged(report)) == (set(), set())
    assert report.tls_version in {"TLSv1.2", "TLSv1.3"}
    assert report.certificate_days is not None
    assert len(server.asked) == REQUESTS == 1 + len(report.health)
    assert server.asked[0] == f"POST {PATH}?code=key None"
    assert set(server.asked[1:]) == {"GET /api/health None"}
    assert all(reply.timing.tls_ms > 0 for reply in report.health)


async def test_app_of_this_checkout_has_nothing() -> None:
    """The function app itself, in Microsoft's worker library."""
    async with (
        asyncio.timeout(30),
        EntraServer(local_tenant()) as entra,
        AppProcess(endpoint_settings(entra), app_dir=ROOT) as app,
    ):
        report = await asyncio.to_thread(probe, app.url + PATH)
        while report.health[-1].status != 200:  # the keys are read a moment after the start
            report = await asyncio.to_thread(probe, app.url + PATH)

    assert bad(judged(report)) == (set(), set())
    assert report.health[-1].status == 200


@pytest.mark.parametrize(
    ("manner", "found", "hints"),
    [
        (Manner(refusal=200), {"D86"}, set()),
        (Manner(refusal=403), {"D86"}, set()),
        (Manner(refusal=404), {"D86"}, set()),
        (Manner(refusal=302), {"D86"}, set()),
        (Manner(challenge=None), {"D86"}, set()),
        (Manner(challenge="Basic realm=x"), {"D86"}, set()),
        (Manner(health=503), set(), {"D88"}),
        (Manner(skew_s=90), {"D90"}, set()),
        (Manner(skew_s=-90), {"D90"}, set()),
        (Manner(garbage=b"\x00\x01hello\r\n\r\n"), {"D82"}, set()),
        (Manner(garbage=b""), {"D82"}, set()),
        (Manner(silent=True), {"D82"}, set()),
        (Manner(drips=True), {"D82"}, set()),
    ],
)
def test_wrong_answer_is_found(manner: Manner, found: set[str], hints: set[str]) -> None:
    """One wrong thing is one finding; what cannot be known then is skipped."""
    with Server(manner) as server:
        report = probe(server.url("127.0.0.1"), Means(deadline_s=0.5))

    assert bad(judged(report)) == (found, hints)


@pytest.mark.parametrize(
    ("manner", "says"),
    [
        (Manner(refusal=404, health=404), "URL of another app, or, on Python up to 3.12, the app did not start"),
        (
            Manner(refusal=404),
            "HTTP 404, and 200 from the health route: the app started, and the URL has another route",
        ),
        (Manner(refusal=404, health=503), "503 from the health route: the app started"),
        (Manner(refusal=403, health=404), "HTTP 403"),
    ],
)
def test_app_that_did_not_start_is_told_from_a_wrong_route(manner: Manner, says: str) -> None:
    """An app without functions answers 404 on every route, and an app that runs on one alone."""
    with Server(manner) as server:
        diagnosis = judged(probe(server.url("127.0.0.1"), Means(deadline_s=0.5)))

    (actual,) = (finding.actual for one, finding in diagnosis.faults if one.statement.id == "D86")
    assert says in actual
    assert ("did not start" in actual) is (manner == Manner(refusal=404, health=404))


def test_certificate_of_a_stranger(authority: trustme.CA) -> None:
    """A chain that ends nowhere."""
    with Server(Manner(), served(authority)) as server:
        report = probe(server.url())

    assert bad(judged(report)) == ({"D84"}, set())
    assert "certificate" in report.failure_text


def test_certificate_for_another_name(authority: trustme.CA) -> None:
    """The chain is good, the name is not."""
    with Server(Manner(), served(authority, "other.example")) as server:
        report = probe(server.url(), believing(authority))

    assert bad(judged(report)) == ({"D84"}, set())


def test_expired_certificate(authority: trustme.CA) -> None:
    """Yesterday was its last day."""
    ended = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    with Server(Manner(), served(authority, not_after=ended)) as server:
        report = probe(server.url(), believing(authority))

    assert bad(judged(report)) == ({"D84"}, set())
    assert "expired" in report.failure_text


def test_certificate_with_days_left(authority: trustme.CA) -> None:
    """Valid, and soon not."""
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=3, hours=1)
    with Server(Manner(), served(authority, not_after=ends)) as server:
        report = probe(server.url(), believing(authority))

    assert bad(judged(report)) == (set(), {"D85"})
    assert report.certificate_days == 3


def test_old_tls(authority: trustme.CA) -> None:
    """A server that knows TLS 1.1 at most."""
    context = served(authority)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with _no_deprecation():
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Server(Manner(), context) as server:
        report = probe(server.url(), believing(authority))

    assert bad(judged(report)) == ({"D83"}, set())


def test_plain_http_where_tls_is_expected(authority: trustme.CA) -> None:
    """A handshake with a server that speaks none."""
    with Server(Manner()) as server:
        report = probe(server.url().replace("http:", "https:"), believing(authority))

    assert bad(judged(report)) == ({"D83"}, set())


def test_nobody_listens() -> None:
    """A refused connection, without a wait."""
    with Server(Manner()) as server:
        url = server.url()

    assert bad(judged(probe(url))) == ({"D82"}, set())


def _dns(*known: str) -> Means:
    """Give a resolver of some names."""

    def look_up(host: str | None, _: int | None) -> list[str]:
        if host not in known:
            (host or "").encode("idna")
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [host]

    return Means(lookup=look_up)


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a..b", "x" * 64 + ".example"])
def test_name_that_does_not_resolve(host: str) -> None:
    """`.invalid` never resolves (RFC 2606), and a name that is none does not either."""
    report = probe(f"https://{host}{PATH}", _dns("login.microsoftonline.com"))

    assert bad(judged(report)) == ({"D80"}, set())
    assert report.refused is None


def test_machine_without_dns_proves_nothing() -> None:
    """Where no name resolves, that of the endpoint is not known to be wrong; the verdict is not PASS."""
    diagnosis = judged(probe(f"https://claims.sample.example{PATH}", _dns()))
    reasons = {one.statement.id: lack for one, lack in diagnosis.skipped}

    assert bad(diagnosis) == (set(), set())
    assert diagnosis.verdict == "INCONCLUSIVE"
    assert reasons["D80"].asked
    assert "nor does login.microsoftonline.com: this machine resolves no public name" in reasons["D80"].reason


@pytest.mark.parametrize(
    ("failure", "found", "held"),
    [
        ("name", "D80", set()),
        ("connect", "D82", {"D80", "D81"}),
        ("timeout", "D82", {"D80", "D81"}),
        ("protocol", "D83", {"D80", "D81", "D82"}),
        ("tls", "D83", {"D80", "D81", "D82"}),
        ("certificate", "D84", {"D80", "D81", "D82", "D83"}),
    ],
)
def test_what_was_not_reached_does_not_hold(failure: ProbeFailure, found: str, held: set[str]) -> None:
    """After the first thing that fails, the rest is skipped: it was not seen."""
    addresses = () if failure == "name" else ("93.184.216.34",)
    report = ProbeReport(host="claims.example.com", secure=True, addresses=addresses, failure=failure)
    findings = judged(report)

    assert bad(findings) == ({found}, set())
    assert {one.statement.id for one in findings.results if one.status == "pass"} == held


def good_report(**changes: Any) -> ProbeReport:
    """Make a report by hand; ``changes`` replace its members."""
    reply = ProbeReply(status=200, challenge=None, skew_s=0.0, timing=FAST)
    members: dict[str, Any] = {
        "host": "claims.example.com",
        "secure": True,
        "addresses": ("93.184.216.34",),
        "tls_version": "TLSv1.3",
        "certificate_days": 60,
        "refused": ProbeReply(status=401, challenge="Bearer", skew_s=0.0, timing=FAST),
        "health": (reply,) * 5,
    }
    return ProbeReport(**(members | changes))


def _slow(**changes: float) -> tuple[ProbeReply, ...]:
    timing = Timing(**({"connect_ms": 1.0, "tls_ms": 2.0, "first_byte_ms": 5.0} | changes))
    return (ProbeReply(status=200, challenge=None, skew_s=0.0, timing=timing),) * 5


@pytest.mark.parametrize(
    ("changes", "found", "hints"),
    [
        ({}, set(), set()),
        ({"addresses": ("10.1.2.3", "93.184.216.34")}, {"D81"}, set()),
        ({"addresses": ("fd00::1",)}, {"D81"}, set()),
        ({"secure": False, "tls_version": None, "certificate_days": None}, {"D83"}, set()),
        ({"tls_version": "TLSv1.1"}, {"D83"}, set()),
        ({"health": _slow(first_byte_ms=600.0)}, set(), {"D87"}),
        ({"health": _slow(tls_ms=300.0, connect_ms=250.0)}, set(), {"D87"}),
        (
            {
                "refused": ProbeReply(
                    status=401,
                    challenge="bearer error=x",
                    skew_s=0.0,
                    timing=Timing(connect_ms=1.0, tls_ms=2.0, first_byte_ms=900.0),
                )
            },
            set(),
            {"D89"},
        ),
    ],
)
def test_report_is_judged(changes: dict[str, Any], found: set[str], hints: set[str]) -> None:
    """What no server on this machine can play is judged from a report made by hand."""
    assert bad(judged(good_report(**changes))) == (found, hints)


def test_every_statement_on_the_endpoint_can_fail() -> None:
    """The tests of this module make each of them fail."""
    shown = {"D80", "D81", "D82", "D83", "D84", "D85", "D86", "D87", "D88", "D89", "D90"}

    assert {one.id for one in TENANT_STATEMENTS.values() if "probe" in one.needs} == shown


@contextlib.contextmanager
def _no_deprecation() -> Iterator[None]:
    """Let an old protocol be configured, which Python rightly warns of."""
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        yield
