"""Key rollovers and malformed keys at an endpoint that runs elsewhere: what is a finding, and what was not checked."""

import io
import itertools
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from selftest.checks import REGISTRY
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.runner import run_checks
from selftest.checks.selftest_run import SelftestRun
from selftest.entra import key_store
from selftest.entra.key_fetches import KeyFetches
from selftest.entra.key_store import NEXT, SPARE, KeyStore, process_keys
from selftest.entra.server import EntraServer
from selftest.report.results import CheckResult
from tests.selftest.checks.planted_fault import GOOD, Incoming, Outgoing, PlantedFault, answers, answers_at
from tests.selftest.checks.served_endpoint import ServedEndpoint, open_served_endpoint


@pytest.fixture(name="served")
async def an_endpoint() -> AsyncIterator[ServedEndpoint]:
    """Return an endpoint that has read the keys once, as one that runs elsewhere."""
    async with open_served_endpoint() as served:
        while not (served.entra.hits["keys_v1"] and served.entra.hits["keys_v2"]):
            await served.env.send(served.env.good_request())
        yield served


async def run(env: CheckEnvironment, *ids: str) -> dict[str, CheckResult]:
    """Run checks of one run and return their results by id."""
    return {result.id: result async for result in run_checks([REGISTRY[each] for each in ids], env)}


def _refuses(kid: str) -> PlantedFault:
    return answers(401, lambda request: request.token.header.get("kid") == kid)


def _forced_before(served: ServedEndpoint, age_s: float) -> CheckEnvironment:
    """Return the environment of a run that began some time after the endpoint was made to read the keys."""
    now_s = itertools.chain([0.0], itertools.repeat(age_s))
    fetches = KeyFetches(clock=lambda: next(now_s))
    fetches.expect_forced(served.env.url)
    fetches.note(served.entra.authority_url)
    return replace(served.env, fetches=fetches)


async def test_an_endpoint_that_never_reads_the_keys_again_is_a_finding(served: ServedEndpoint) -> None:
    """One finding: what follows from it is not checked."""
    served.fault = _refuses(process_keys().rsa(NEXT).kid)
    found = await run(_forced_before(served, 301), "T170", "T171", "T172")
    assert found["T170"].status == "fail"
    assert "were not read again" in found["T170"].actual
    assert {found[each].status for each in ("T171", "T172")} == {"skip"}


async def test_within_its_pause_it_is_not_checked(served: ServedEndpoint) -> None:
    """The skip says why, and when to repeat the check."""
    served.fault = _refuses(process_keys().rsa(NEXT).kid)
    found = await run(_forced_before(served, 100), "T170")
    assert found["T170"].status == "skip"
    assert "100 s before" in found["T170"].actual
    assert "in 200 s, or restart the endpoint" in found["T170"].actual


async def test_an_endpoint_that_reads_them_and_refuses_is_a_finding(served: ServedEndpoint) -> None:
    """The pause is no reason then."""
    new = process_keys().rsa(NEXT).kid

    async def reads_and_refuses(request: Incoming, entra: EntraServer) -> Incoming | Outgoing:
        if request.token.header.get("kid") != new:
            return request
        entra.hits["keys_v2"] += 1
        return await _refuses(new).before(request, entra)

    served.fault = PlantedFault(before=reads_and_refuses)
    found = await run(_forced_before(served, 100), "T170")
    assert found["T170"].status == "fail"
    assert "although the keys were read again" in found["T170"].actual


@pytest.mark.parametrize(("calls", "status"), [(10, "pass"), (40, "pass"), (80, "fail")])
async def test_a_short_pause_is_waited_for(
    served: ServedEndpoint, calls: int, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refusals for five seconds are allowed, and for half a minute if the keys were read just before; that is said."""
    fetches = KeyFetches(clock=lambda: 0.0)
    fetches.note(served.entra.authority_url)
    new, seen = process_keys().rsa(NEXT).kid, itertools.count()
    served.fault = answers(401, lambda request: request.token.header.get("kid") == new and next(seen) < calls)
    left_s: list[float] = []
    found = await run(replace(served.env, fetches=fetches, countdown=left_s.append), "T170")
    assert found["T170"].status == status, found["T170"].actual
    said = capsys.readouterr().err
    assert ("waiting 31 s, because some libraries read the keys at most once in 30 s" in said) == (calls > 10)
    assert left_s[:2] == [5.0, 4.5]
    assert (left_s[10:12] == [31.0, 30.5]) == (calls > 10)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_a_run_shows_the_wait_on_its_progress_line(
    served: ServedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason has a line of its own, and the seconds count down on the line that counts the checks."""
    served.fault = _refuses(process_keys().rsa(NEXT).kid)
    fetches = KeyFetches(clock=lambda: 0.0)
    fetches.note(served.entra.authority_url)
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    played = SelftestRun(Namespace(url=served.env.url, strict=False, out=None))
    await played.run_checks([REGISTRY["T170"]], replace(served.env, fetches=fetches))
    shown = terminal.getvalue().split("\r\x1b[K")
    reason = next(index for index, text in enumerate(shown) if text.startswith("no fault so far: "))
    assert shown[reason].endswith("at most once in 30 s\n")
    assert shown[reason + 1] == "0/1 waiting, 31 s left"
    assert "0/1 waiting, 1 s left" in shown


async def test_a_rollover_that_was_read_changes_the_spare_key_of_the_next_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The endpoint knows the key that was new, so that the next run withdraws it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    spare, new = (KeyStore.open().rsa(name).kid for name in (SPARE, NEXT))
    async with open_served_endpoint(store=KeyStore.open()) as served:
        found = await run(served.env, "T170", "T171")
    assert [result.status for result in found.values()] == ["pass", "pass"]
    assert KeyStore.open().rsa(SPARE).kid == new
    assert KeyStore.open().rsa(NEXT).kid not in {spare, new}


async def test_odd_keys_that_were_not_read_are_not_checked(served: ServedEndpoint) -> None:
    """A refusal proves nothing then; an accepted token proves that the endpoint has the key."""
    served.entra.hits.clear()
    assert (await run(served.env, "T71"))["T71"].actual.startswith("not checked: the endpoint has not read")
    served.fault = PlantedFault(before=_accepted)
    assert (await run(served.env, "T71"))["T71"].status == "fail"


async def _accepted(request: Incoming, entra: EntraServer) -> Incoming:
    return request.with_header("authorization", f"Bearer {entra.mint.callout_token()}")


MALFORMED = ("T75", "T77", "T79")


async def test_malformed_keys_need_a_flag(served: ServedEndpoint) -> None:
    """Nothing is published without it."""
    published = list(served.entra.keys.published)
    found = await run(served.env, *MALFORMED)
    assert {result.status for result in found.values()} == {"skip"}
    assert all("--malformed-keys" in result.actual for result in found.values())
    assert served.entra.keys.published == published


async def test_with_the_flag_they_are_published_until_they_are_read(served: ServedEndpoint) -> None:
    """The endpoint passes, and the sound document is back afterwards."""
    published = list(served.entra.keys.published)
    found = await run(replace(served.env, malformed_keys=True), *MALFORMED)
    assert {result.status for result in found.values()} == {"pass"}, [result.actual for result in found.values()]
    assert served.entra.keys.published == published


def _when_malformed(status: int, of: Callable[[Incoming, EntraServer], bool] = lambda *_: True) -> PlantedFault:
    return answers_at(status, lambda request, entra: "key" in entra.keys.published and of(request, entra))


def _known(request: Incoming, entra: EntraServer) -> bool:
    """Whether the token's key was published before the malformed ones."""
    return request.token.header.get("kid") == entra.keys.current.kid


@pytest.mark.parametrize("keeps_its_keys", [True, False])
async def test_a_library_that_gives_up_the_document_is_one_finding(
    served: ServedEndpoint, *, keeps_its_keys: bool
) -> None:
    """Whether it keeps the keys that it had or loses them: the key beside the malformed ones is not known."""
    entra = served.entra

    async def gives_up(request: Incoming, _: EntraServer) -> Incoming | Outgoing:
        if "key" in entra.keys.published and not _known(request, entra):
            entra.hits["keys_v2"] += 1
        fault = _when_malformed(401, lambda request, entra: not (keeps_its_keys and _known(request, entra)))
        return await fault.before(request, entra)

    served.fault = PlantedFault(before=gives_up)
    found = await run(replace(served.env, malformed_keys=True), *MALFORMED)
    assert {name: result.status for name, result in found.items()} == {"T75": "skip", "T77": "skip", "T79": "fail"}
    assert "gave up the whole document" in found["T79"].actual
    assert "T79" in found["T75"].actual


async def test_an_endpoint_that_does_not_read_them_is_not_checked(
    served: ServedEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wait is said, and ends."""
    served.fault = _when_malformed(401, lambda request, entra: not _known(request, entra))
    found = await run(replace(served.env, malformed_keys=True), *MALFORMED)
    assert {result.status for result in found.values()} == {"skip"}
    assert "did not read the malformed keys within 310 s" in found["T79"].actual
    assert capsys.readouterr().err.count("waiting at most") == 1


async def test_the_end_of_the_refusals_is_waited_for(
    served: ServedEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the sound document is back the run goes on when the valid request passes."""
    was, seen = [False], itertools.count()

    def loses_all(_: Incoming, entra: EntraServer) -> bool:
        was[0] = was[0] or "key" in entra.keys.published
        if "key" in entra.keys.published:
            entra.hits["keys_v2"] += 1
        return was[0] and next(seen) < 20

    served.fault = answers_at(401, loses_all)
    found = await run(replace(served.env, malformed_keys=True), "T79")
    assert found["T79"].status == "fail"
    assert next(seen) == 21
    assert "the sound key document is published again; waiting" in capsys.readouterr().err
    served.fault = GOOD


def test_every_odd_key_of_the_file_is_used() -> None:
    """No key is kept that nothing signs with or publishes."""
    store = process_keys()
    entries = {*(key.id for key in EntraServer(store=store).well_formed), *(key.id for key in EntraServer().malformed)}
    assert {*key_store.ODD_RSA, "rsa-1024", "ec-p256", "oct", "not-an-object"} == entries
