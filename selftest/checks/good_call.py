"""The good call, with which every run against an endpoint begins: which token it takes, or why it takes none.

A refused good call is the whole result: every refusal that followed would have the same reason and prove nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from selftest.base.printable import visible
from selftest.checks.bench.environment import CheckEnvironment, GoodCallRefusal
from selftest.checks.bench.probe import RawResponse, redact
from selftest.contract import MAX_TIMEOUT_MS
from selftest.entra.server import EntraServer
from selftest.judge.app_cause import cause_of
from selftest.judge.app_line import AppLine
from selftest.play.app_log import last_refusal, request_lines
from selftest.play.app_warnings import NO_VALUE, app_warnings
from selftest.report.results import NO_ENDPOINT

_SHOWN_CHARS: Final = 300
#: What a web server answers where it has no such function.
_NO_FUNCTION: Final = frozenset({404, 405, 410, 501})
_NO_VALID_CALL: Final = " An endpoint that answers so to a call without a token needs --token-file."
_NOT_ASKED: Final = (
    "Start the endpoint with the authority that `entra` prints, and restart it if it read another one. If it has the "
    "keys from an earlier run, compare audience, issuer, tenant and caller with what `entra` prints. An endpoint that "
    "trusts the real Entra: `check --deployed --url URL`."
)
#: Refusals of each call alike, which no load changes.
_OF_EVERY_CALL: Final = frozenset({*range(300, 400), 401, 403, *_NO_FUNCTION})


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The refusal, and how often the emulated Entra was asked."""

    response: RawResponse
    metadata: int
    keys: int

    @property
    def challenge(self) -> str:
        """Return what the endpoint itself says, fit to be shown."""
        value = self.response.header("WWW-Authenticate") or ""
        return f"; its WWW-Authenticate header says {visible(redact(value))[:_SHOWN_CHARS]}" if value else ""


#: (whether it applies, what happened, what to do), the most telling first.
type _Reading = tuple[Callable[[_Evidence], bool], Callable[[_Evidence], str], str]


def _status(evidence: _Evidence) -> int:
    return evidence.response.status or 0


_READINGS: Final[tuple[_Reading, ...]] = (
    (
        lambda seen: seen.response.failure == "timeout",
        lambda _: f"no whole response within {MAX_TIMEOUT_MS:,} ms: Entra would log 1003005",
        "Answer within the budget whatever the data source does: limit its time, and fetch its tokens before.",
    ),
    (
        lambda seen: 300 <= _status(seen) < 400,
        lambda seen: f"{seen.response} to {visible(seen.response.header('Location') or 'nowhere')[:_SHOWN_CHARS]}",
        (
            "Give the final address: Entra follows no redirect that is documented. Leave UseHttpsRedirection out while "
            "the endpoint is tested over http."
        ),
    ),
    (
        lambda seen: _status(seen) in _NO_FUNCTION,
        lambda seen: f"{seen.response}: {NO_ENDPOINT}",
        (
            "Give --url the whole path of the callout. In Azure, an app on Python up to 3.12 that did not start "
            "answers 404 on every route."
        ),
    ),
    (
        lambda seen: _status(seen) >= 500 and not seen.metadata,
        lambda seen: f"{seen.response}, and the endpoint never asked for metadata",
        (
            "Read the endpoint's own log. Libraries that insist on an https authority fail like this: set "
            "RequireHttpsMetadata to false for the test, or use --https."
        ),
    ),
    (
        lambda seen: _status(seen) >= 500,
        lambda seen: f"{seen.response}: the endpoint itself failed",
        "Read the endpoint's own log: the request is the documented one.",
    ),
    (
        lambda seen: not seen.metadata and not seen.keys,
        lambda seen: f"{seen.response}, and the endpoint asked neither for metadata nor for keys{seen.challenge}",
        _NOT_ASKED,
    ),
    (
        lambda seen: not seen.keys,
        lambda seen: f"{seen.response}; the endpoint read the metadata and no keys{seen.challenge}",
        "The library did not take the metadata. If it insists on https, use --https.",
    ),
    (
        lambda _: True,
        lambda seen: f"{seen.response} after the endpoint read the keys{seen.challenge}",
        (
            "Compare audience, issuer, tenant and caller with what `entra` prints. An endpoint that read keys of an "
            "earlier run waits before it reads them again: start it again, or keep the keys (leave out --new-keys)."
        ),
    ),
)


async def make_good_call(env: CheckEnvironment) -> CheckEnvironment:
    """Return the environment with the version of the token that the endpoint takes, or with why it takes neither.

    v2.0 is tried first. Entra sends v1.0 only if the registration asks for it, so that one version suffices. Without a
    token that the endpoint accepts, a call without one shows whether an endpoint is there at all.
    """
    if "token" not in env.have:
        answer = await env.send(env.request())
        return replace(env, refusal=_read(env, answer)) if answer.status in _NO_FUNCTION else env
    before = 0 if env.log is None else len(env.log())
    response = await env.send(env.good_request())
    if response.status == 200:
        await _warn_of_no_value(env, response, before)
        return env
    older = replace(env, version="1.0")
    if env.trusted and (await older.send(older.good_request())).status == 200:
        return older
    refusal, lines = _read(env, response), await _logged(env, response, before)
    cause = cause_of(lines)
    return replace(env, refusal=replace(refusal, fix=cause.fix if cause else refusal.fix, app_lines=lines))


async def _warn_of_no_value(env: CheckEnvironment, response: RawResponse, before: int) -> None:
    """Name the claims that the app's log says had no value: no check fails by what is not sent."""
    if env.log is None or not env.runs_app:
        return
    for warning in await app_warnings(env.log, response.request.correlation_id or "", before=before):
        if warning.kind == NO_VALUE:
            env.say(f"warning: {visible(warning.message)}")


async def _logged(env: CheckEnvironment, refused: RawResponse, before: int) -> tuple[AppLine, ...]:
    if env.log is None:
        return ()
    correlation_id = refused.request.correlation_id or ""
    return await request_lines(env.log, correlation_id, before=before) or last_refusal(env.log(), refused.status)


def of_every_call(refusal: GoodCallRefusal | None) -> bool:
    """Whether a status says that the endpoint refuses each call alike, so that a load would prove nothing more."""
    return refusal is not None and refusal.status in _OF_EVERY_CALL


def diagnosis(response: RawResponse, entra: EntraServer) -> tuple[str, str]:
    """Return why the endpoint refuses a valid call that the emulated Entra signed, and what to do."""
    evidence = _evidence(response, entra)
    _, says, fix = next(reading for reading in _READINGS if reading[0](evidence))
    return says(evidence), fix


def _evidence(response: RawResponse, entra: EntraServer) -> _Evidence:
    hits = entra.hits
    return _Evidence(response, hits["metadata_v1"] + hits["metadata_v2"], hits["keys_v1"] + hits["keys_v2"])


def _read(env: CheckEnvironment, response: RawResponse) -> GoodCallRefusal:
    curl = response.request.curl()
    if not env.trusted and response.status not in _NO_FUNCTION:
        fix = "Compare the token with the endpoint's settings: `token`."
        reason = str(response) + _evidence(response, env.entra).challenge
    else:
        reason, fix = diagnosis(response, env.entra)
        fix = fix if "token" in env.have else fix + _NO_VALID_CALL
    return GoodCallRefusal(reason, fix, curl, status=response.status, answer=response.excerpt)
