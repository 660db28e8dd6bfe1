"""Plays Entra from any number of machines: a self-contained locustfile for Locust and Azure Load Testing.

It imports only Locust, gevent (which Locust uses) and the standard library, so that this file and load-events.jsonl are
all that is uploaded. It behaves like `selftest.play.caller`; tests compare its verdicts with `selftest.judge.verdict`.

- **Open loop.** A user signs in every `pace` seconds, and the pace is longer than a sign-in can take (timeout, retry,
  timeout). A slow response therefore delays no later sign-in: a stall affects all callouts that are due during it, and
  latency counts from when they were due.
- **Three rows.** "callout" is the first attempt, "retry" the second, "sign-in" the user's whole waiting time; a failure
  starts with the code that Entra would log.
- **Counted, not estimated.** Locust rounds response times of 1 to 10 seconds to 100 ms. The verdict is the share of
  sign-ins without a token. Exit codes: 0 passed, 1 failed, 2 could not run, 3 the generator was too late.

Secrets are read only from the environment, so that neither a process list nor Locust's page shows them: ENTRA_TOKEN, or
ENTRA_TOKEN_URL, ENTRA_CLIENT_ID, ENTRA_CLIENT_SECRET and ENTRA_SCOPE for a token by client credentials, which is
refreshed in the background. No output contains a token. See docs/load-testing.md.
"""

import http.client
import ipaddress
import itertools
import json
import math
import os
import random
import ssl
import sys
import time
import urllib.parse
import urllib.request
import uuid
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gevent
from locust import User, events
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

_PATH = "/api/onTokenIssuanceStart"
_DATA_TYPE = "microsoft.graph.onTokenIssuanceStartResponseData"
_ACTION_TYPE = "microsoft.graph.tokenIssuanceStart.provideClaimsForToken"
#: How much longer than its timeouts a sign-in may take without delaying the user's next one.
_SLACK_S = 0.25
#: A connection that was idle for longer is not reused: the shortest limit of common servers is 5 s.
_IDLE_S = 4.0
#: The same limit as in the harness.
_MAX_BODY_BYTES = 1024 * 1024
#: With a larger share of late sends, the generator's 99th percentile is late.
_MAX_LATE_SHARE = 0.01
#: A higher rate to another machine needs --yes.
_SAFE_RATE_PER_S = 50
#: Locust warns of more new users per second; with a higher rate they still start within one pace.
_SPAWN_RATE_PER_S = 100
_TOKEN_TIMEOUT_S = 10.0
#: Its multiples, modulo 1, are evenly distributed for any number of users, and so are the users' starts.
_GOLDEN = (math.sqrt(5) - 1) / 2
_PLACEHOLDER = "00000000-0000-0000-0000-000000000000"


class CannotRunError(Exception):
    """The run cannot start; the message has the reason and no secret."""


class Missed(Exception):
    """An attempt without a token; the message starts with the code that Entra would log.

    Args:
        again: Whether Entra retries: after a timeout or a broken connection, never after a response.
    """

    def __init__(self, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.again = again

    def __repr__(self) -> str:
        """Return the text for Locust's table of failures."""
        return str(self)


def judge(status: int, content_type: str, body: bytes) -> None:
    """Judge one complete response by the main rules of `selftest.judge.verdict`, without sizes and names.

    Raises:
        Missed: Entra would not mint a token from it.
    """
    if status != 200:
        raise Missed(f"1003002 status {status}")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Missed("1003006 the content type is not application/json")
    if body.strip() in {b"", b"null"}:
        raise Missed("1003009 there is no body")
    try:
        data = _member(json.loads(body), "data")
    except ValueError:  # neither UTF-8 nor JSON
        raise Missed("1003003 the body is not JSON") from None
    actions = _member(data, "actions")
    if data.get("@odata.type") != _DATA_TYPE or not isinstance(actions, list):
        raise Missed("1003003 data is of another type, or actions is not a list")
    if len(actions) != 1:
        raise Missed("1003010 not exactly one action")
    if _member(actions[0], "@odata.type") != _ACTION_TYPE:
        raise Missed("1003012 the action is of another type")
    claims = actions[0].get("claims")
    if not isinstance(claims, dict):
        raise Missed("1003007 the action has no claims" if claims is None else "1003003 claims is not an object")


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise Missed("1003003 an object is expected")
    return value.get(name)


def event_templates(tenant_id: str, extension_id: str) -> list[str]:
    """Return the events of load-events.jsonl with a placeholder as the correlation id.

    A given id replaces the one in the file.
    """
    templates = []
    for event in Path(__file__).with_name("load-events.jsonl").read_text(encoding="utf-8").splitlines():
        data = json.loads(event)["data"]
        text = event.replace(data["authenticationContext"]["correlationId"], _PLACEHOLDER)
        text = text.replace(data["tenantId"], tenant_id or data["tenantId"])
        own_id = data["customAuthenticationExtensionId"]
        templates.append(text.replace(own_id, extension_id or own_id))
    return templates


class BearerToken:
    """The bearer token: given, or fetched by client credentials and refreshed after four fifths of its lifetime.

    Raises:
        CannotRunError: No token is given and none can be fetched.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.value = environ.get("ENTRA_TOKEN", "").strip()
        if self.value:
            return
        names = ("ENTRA_TOKEN_URL", "ENTRA_CLIENT_ID", "ENTRA_CLIENT_SECRET", "ENTRA_SCOPE")
        self._url, client_id, secret, scope = (environ.get(name, "") for name in names)
        if not all((self._url, client_id, secret, scope)):
            raise CannotRunError(f"there is no token: set ENTRA_TOKEN, or all of {', '.join(names)}")
        if not _is_safe(self._url):
            raise CannotRunError("ENTRA_TOKEN_URL: https is required on another machine")
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": scope}
        self._form = urllib.parse.urlencode(form).encode()
        gevent.spawn(self._keep_fresh, self._fetch())

    def _keep_fresh(self, lifetime_s: float) -> None:
        while True:
            gevent.sleep(lifetime_s * 0.8)
            try:
                lifetime_s = self._fetch()
            except CannotRunError as error:
                print(f"{error}; the old token is used further", file=sys.stderr)
                lifetime_s = _TOKEN_TIMEOUT_S

    def _fetch(self) -> float:
        """Fetch a token and return its lifetime in seconds."""
        try:
            # The constructor accepts only https and loopback URLs.
            with urllib.request.urlopen(self._url, self._form, _TOKEN_TIMEOUT_S) as response:  # noqa: S310 - see above
                answer = json.load(response)
            lifetime_s = max(1.0, float(answer["expires_in"]))
            self.value = str(answer["access_token"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = getattr(error, "code", type(error).__name__)
            raise CannotRunError(f"no token from the token endpoint ({why}): check the four variables") from None
        return lifetime_s


def _is_loopback(url: str) -> bool:
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_safe(url: str) -> bool:
    return url.startswith("https://") or (url.startswith("http://") and _is_loopback(url))


class CalloutClient:
    """Sends callouts over kept-alive connections, the last used first; nothing is resent automatically.

    The headers are those that Entra is documented to send, and those that HTTP needs.
    """

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._host, self._port, self._secure = parts.hostname or "", parts.port, parts.scheme == "https"
        self._path = (parts.path.rstrip("/") or _PATH) + (f"?{parts.query}" if parts.query else "")
        self._tls = ssl.create_default_context()
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []

    def post(self, body: bytes, token: str, timeout_s: float) -> tuple[int, str, bytes]:
        """Send one callout and return status, content type and body.

        Raises:
            Missed: There is no complete response within the timeout, or the connection broke.
        """
        connection = self._connection()
        answered = reusable = False
        try:
            with gevent.Timeout(max(0.0, timeout_s)):
                connection.putrequest("POST", self._path, skip_accept_encoding=True)
                connection.putheader("Authorization", f"Bearer {token}")
                connection.putheader("Content-Type", "application/json")
                connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                response = connection.getresponse()
                answered = True
                content = response.read(_MAX_BODY_BYTES + 1)
            reusable = response.isclosed() and not response.will_close
        except gevent.Timeout:
            raise Missed("1003005 no complete response in the budget", again=True) from None
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and not answered:
                raise Missed("1003027 no connection, or it broke before a response", again=True) from None
            raise Missed("1003001 the response broke off, or is not HTTP") from None
        finally:
            if reusable:
                self._idle.append((time.perf_counter(), connection))
            else:
                connection.close()
        if response.length and len(content) <= _MAX_BODY_BYTES:
            raise Missed("1003001 the response broke off, or is not HTTP")
        return response.status, response.getheader("Content-Type", ""), content

    def _connection(self) -> http.client.HTTPConnection:
        while self._idle:
            since_s, connection = self._idle.pop()
            if time.perf_counter() - since_s < _IDLE_S:
                return connection
            connection.close()
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port)


def users_and_pace(rate_per_s: float, budget_ms: int, retries: int) -> tuple[int, float]:
    """Return the number of users that the rate needs, and the seconds between the sign-ins of each.

    Little's law: the number of concurrent sign-ins is the rate times the longest duration of one.
    """
    users = math.ceil(rate_per_s * ((1 + retries) * budget_ms / 1000 + _SLACK_S))
    return users, users / rate_per_s


class Entra:
    """The state that the users of one process share.

    Attributes:
        late: The number of sign-ins that started too late since the last report.
        stopping: Whether no further sign-in starts. Locust kills waiting users; a user that wakes at that moment would
            be killed during its callout, which would then be sent but not counted.
    """

    def __init__(self, environment: Environment, token: BearerToken) -> None:
        self._options = environment.parsed_options
        options = self._options
        self.pace_s = users_and_pace(options.rate, options.budget_ms, options.retries)[1]
        self.late = 0
        self.stopping = False
        self._events = environment.events
        self._token = token
        self._endpoint = CalloutClient(environment.host or "")
        self._templates = itertools.cycle(event_templates(options.tenant, options.extension))
        self._first_phase = random.random()  # noqa: S311 - distributes the users of each process, not a secret
        self._users = itertools.count()

    def first_due_s(self) -> float:
        """Return when the next user starts: evenly distributed over the first pace."""
        phase = (self._first_phase + next(self._users) * _GOLDEN) % 1
        return time.perf_counter() + phase * self.pace_s

    def sign_in(self, due_s: float) -> None:
        """Play one sign-in: a callout and, if Entra would retry, a retry with the same bytes."""
        if self.stopping:
            return
        self.late += (time.perf_counter() - due_s) * 1000 > self._options.max_lateness_ms
        body = next(self._templates).replace(_PLACEHOLDER, str(uuid.uuid4())).encode()
        missed = self._attempt("callout", body, due_s)
        if missed is not None and missed.again and self._options.retries:
            missed = self._attempt("retry", body, time.perf_counter())
        self._report("ENTRA", "sign-in", due_s, missed, 0)

    def _attempt(self, name: str, body: bytes, due_s: float) -> Missed | None:
        missed, size_bytes, end_s = None, 0, due_s + self._options.budget_ms / 1000
        try:
            answer = self._endpoint.post(body, self._token.value, end_s - time.perf_counter())
            size_bytes = len(answer[2])
            if time.perf_counter() > end_s:
                # The timer of a busy process fires late; the clock decides.
                raise Missed("1003005 no complete response in the budget", again=True)  # noqa: TRY301 - as post() does
            judge(*answer)
        except Missed as error:
            missed = error
        self._report("POST", name, due_s, missed, size_bytes)
        return missed

    def _report(self, kind: str, name: str, due_s: float, missed: Missed | None, size_bytes: int) -> None:
        self._events.request.fire(
            request_type=kind,
            name=name,
            response_time=(time.perf_counter() - due_s) * 1000,
            response_length=size_bytes,
            exception=missed,
            context={},
        )


class EntraUser(User):  # type: ignore[misc]  # Locust is not in the environment that types are checked in
    """A user that signs in once per pace, on a fixed schedule."""

    #: Set at the start of the test, but not on a master.
    entra: Entra

    def on_start(self) -> None:
        """Wait until this user's first sign-in is due."""
        self._due_s = self.entra.first_due_s()
        self.wait()

    def wait_time(self) -> float:
        """Return the seconds until the next sign-in is due."""
        return max(0.0, self._due_s - time.perf_counter())

    def sign_in(self) -> None:
        """Sign in, and set the time of the next sign-in."""
        due_s, self._due_s = self._due_s, self._due_s + self.entra.pace_s
        self.entra.sign_in(due_s)

    tasks = [sign_in]  # noqa: RUF012 - Locust reads it from the class


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options; each can also be an environment variable: --budget-ms is ENTRA_BUDGET_MS."""
    group = parser.add_argument_group("Entra")
    for name, default, text in (
        ("rate", 20.0, "sign-ins per second; on a master, of all its workers"),
        ("budget-ms", 2000, "Entra's timeout for one attempt, 200 to 2000"),
        ("retries", 1, "Entra's retries, 0 or 1"),
        ("max-missed-percent", 1.0, "the percentage of sign-ins that may get no token"),
        ("max-lateness-ms", 25.0, "if more than one in a hundred sign-ins starts later, the run is not valid"),
        ("tenant", "", "the tenant id of the events (default: that of load-events.jsonl)"),
        ("extension", "", "the extension id of the events (default: that of load-events.jsonl)"),
        ("yes", "", f"any word: consent to more than {_SAFE_RATE_PER_S}/s to your endpoint on another machine"),
    ):
        # Locust's parser has env_var; argparse's types do not.
        more: dict[str, Any] = {"env_var": "ENTRA_" + name.replace("-", "_").upper()}
        group.add_argument(f"--{name}", type=type(default), default=default, help=text, **more)


def check_options(options: Any) -> None:
    """Validate the options.

    Raises:
        CannotRunError: An option is invalid; the message names each of them.
    """
    host = options.host or ""
    url_is_safe = _is_safe(host) and urllib.parse.urlsplit(host).hostname
    is_allowed = _is_loopback(host) or options.yes or options.rate <= _SAFE_RATE_PER_S
    rules = (
        (url_is_safe, "--host: the endpoint's URL is required, with https on another machine"),
        (is_allowed, f"--rate: more than {_SAFE_RATE_PER_S} per second to another machine needs --yes"),
        (0 < options.rate <= 5000, "--rate: more than 0 and at most 5000 per second"),
        (200 <= options.budget_ms <= 2000, "--budget-ms: 200 to 2000, the range of Entra's timeout"),
        (options.retries in {0, 1}, "--retries: 0 or 1, the range of Entra's retries"),
        (0 <= options.max_missed_percent <= 100, "--max-missed-percent: 0 to 100"),
    )
    if wrong := [text for holds, text in rules if not holds]:
        raise CannotRunError("\n".join(wrong))


class LocustVerdict:
    """Adds up the late sign-ins of all processes, and sets the exit code from the lost ones."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._late = 0
        self._verdict = ""
        environment.events.worker_report.add_listener(self.add_up)
        environment.events.quitting.add_listener(self.decide)
        environment.events.quit.add_listener(self.print_verdict)

    def add_up(self, data: dict[str, Any], **_: Any) -> None:
        """Add the report of a worker or of this process."""
        self._late += data.pop("late", 0)

    def decide(self, **_: Any) -> None:
        """Set the exit code at the end of the run."""
        options, stats = self._environment.parsed_options, self._environment.stats
        if not isinstance(self._environment.runner, MasterRunner):
            report_late(self.add_up)
        row, callouts = stats.get("sign-in", "ENTRA"), stats.get("callout", "POST")
        total, lost = row.num_requests, row.num_failures
        counts = (
            f"{lost} of {total} sign-ins lost (at most {options.max_missed_percent:g} % may be), "
            f"{callouts.num_failures} callouts missed, {self._late} sent more than {options.max_lateness_ms:g} ms late"
        )
        if not total or self._late > total * _MAX_LATE_SHARE:
            code, self._verdict = 3, f"INCONCLUSIVE  {counts}: lower --rate or add workers, and run longer"
        elif lost * 100 > total * options.max_missed_percent:
            code, self._verdict = 1, f"FAIL  {counts}"
        else:
            code, self._verdict = 0, f"PASS  {counts}"
        self._environment.process_exit_code = code

    def print_verdict(self, **_: Any) -> None:
        """Print the verdict as the last line, after Locust's tables."""
        print(self._verdict, flush=True)


def report_late(take: Callable[[dict[str, Any]], None]) -> None:
    """Report the number of late sign-ins of this process since the last report."""
    entra = getattr(EntraUser, "entra", None)
    if entra is not None:
        late, entra.late = entra.late, 0
        take({"late": late})


def prepare(environment: Environment, runner: Runner, **_: Any) -> None:
    """Validate the options, set the number of users and get the token; exit code 2 if that fails."""
    options = environment.parsed_options
    # Locust counts --run-time from the loop's cached time, which may be that of its imports, seconds ago.
    gevent.get_hub().loop.update_now()
    try:
        if not isinstance(runner, WorkerRunner):
            check_options(options)
            users, _pace_s = users_and_pace(options.rate, options.budget_ms, options.retries)
            options.num_users = options.num_users or users
            options.spawn_rate = options.spawn_rate or min(users, max(_SPAWN_RATE_PER_S, math.ceil(options.rate)))
            # Sign-ins in progress at the end are waited for, because the slowest must be counted.
            environment.stop_timeout = (1 + options.retries) * options.budget_ms / 1000 + 1
            LocustVerdict(environment)
        if not isinstance(runner, MasterRunner):
            token = BearerToken()
            # A worker has the master's options only when the test starts.
            environment.events.test_start.add_listener(lambda **_: _begin(environment, token))
            environment.events.test_stopping.add_listener(lambda **_: _end())
            environment.events.report_to_master.add_listener(lambda data, **_: report_late(data.update))
    except CannotRunError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def _begin(environment: Environment, token: BearerToken) -> None:
    EntraUser.entra = Entra(environment, token)


def _end() -> None:
    EntraUser.entra.stopping = True


events.init_command_line_parser.add_listener(add_arguments)
events.init.add_listener(prepare)
