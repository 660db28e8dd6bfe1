"""Played sign-ins: each gets the outcome of its own fault, whatever else is running."""

import asyncio
import itertools
import os
import uuid
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.base.sample_tenant import local_tenant
from selftest.checks.faults.rows import ROWS
from selftest.downstream.faults import FAULTS
from selftest.host.process import AppProcess
from selftest.playground.choice import ChoiceError
from selftest.playground.faults import FAULT_OPTIONS
from selftest.playground.html.home import home_values
from selftest.playground.html.sign_in import sign_in_view
from selftest.playground.html.templates import render
from selftest.playground.played import Played
from selftest.playground.player import SignInPlayer, TooManySignInsError
from selftest.signin.tenant.directory import Directory
from tests.checkout import ROOT
from tests.selftest.failing_providers import BODIES, FAULTY_LINE, copy_app

#: Small, so that a timeout takes little time.
FAST = {"Claims__BudgetMs": "600"}
EFFECTS = {f"downstream:{row.fault}": row.effect for row in ROWS} | {"downstream:slowness": "failure"}


async def play(player: SignInPlayer, **form: str) -> Played:
    """Play the sign-in of a form."""
    return await player.play(player.options.read(form))


def codes(played: Played) -> set[int | None]:
    """Return what Entra logs for the calls."""
    assert played.record is not None, played.failure
    return {callout.verdict.code for callout in played.record.callouts}


async def test_every_bad_reply_and_every_preset_leads_to_its_code(nowhere: SignInPlayer) -> None:
    """All of them at the same time, in one player, without affecting each other."""
    chosen = [known for known in FAULT_OPTIONS.values() if known.code is not None]
    played = await asyncio.gather(*(play(nowhere, fault=known.id) for known in chosen))
    assert [(known.id, codes(each)) for known, each in zip(chosen, played, strict=True)] == [
        (known.id, {known.code}) for known in chosen
    ]
    for known, each in zip(chosen, played, strict=True):
        assert each.record is not None
        assert each.record.refusal is not None
        assert (each.record.callouts[0].call is None) == (known.kind == "preset")
    assert len(nowhere.log.records) == len(chosen)


async def test_the_app_serves_another_tenant(sample: Directory, app_dir: Path) -> None:
    """The callout's token has its id and that of the API, and the app accepts it."""
    tenant = local_tenant(tenant_id="0a0a0a0a-1111-4111-8111-0123456789ab", audience_app_id=str(uuid.uuid4()))
    async with SignInPlayer(sample.with_ids(tenant), app_dir=app_dir) as player:
        played = await play(player)
        assert codes(played) == {None}
        ((_, callout),) = played.tokens
        assert (callout["tid"], callout["aud"]) == (tenant.tenant_id, tenant.audience_app_id)


async def test_an_endpoint_that_does_not_listen(nowhere: SignInPlayer) -> None:
    """The code is that of Entra; the callout's token is kept decoded, never in its compact form."""
    played = await play(nowhere)
    assert codes(played) == {1003027}
    header, claims = played.tokens[0]
    assert header["alg"] == "RS256"
    assert claims["aud"] == nowhere.main.entra.tenant.audience_app_id
    assert "eyJ" not in repr(played)
    assert nowhere.played(played.id) is played


async def test_the_faults_of_the_tenant_file_need_no_endpoint(nowhere: SignInPlayer) -> None:
    """A user whose every sign-in is late, an app that rejects mapped claims, a user who is not assigned."""
    for form, aadsts in (
        ({"user": "fay"}, 1100001),
        ({"app": "unmapped"}, 50146),
        ({"app": "legacy", "user": "cleo"}, 50105),
    ):
        played = await play(nowhere, **form)
        assert played.record is not None
        assert played.record.error_code == aadsts, form


async def test_too_many_sign_ins_are_refused(nowhere: SignInPlayer) -> None:
    """There is a limit for waiting sign-ins, which counts the unfinished ones only."""
    slow = nowhere.options.read({"fault": "reply:1003005", "app": "impatient"})
    waiting = [asyncio.create_task(nowhere.play(slow)) for _ in range(32)]
    await asyncio.sleep(0)
    with pytest.raises(TooManySignInsError, match="32 sign-ins"):
        await nowhere.play(slow)
    await asyncio.gather(*waiting)
    assert codes(await play(nowhere, fault="preset:1003021")) == {1003021}


async def test_only_the_last_sign_ins_are_kept(nowhere: SignInPlayer) -> None:
    """A playground may stay open for days."""
    first = await play(nowhere, fault="preset:1003021")
    for _ in range(200):
        await play(nowhere, fault="preset:1003021")
    assert nowhere.played(first.id) is None


@pytest.mark.nightly
async def test_every_fault_has_its_effect(sample: Directory) -> None:
    """Each once, in turn, on one player: what one leaves behind does not spoil the next."""
    faults = [known.id for known in FAULT_OPTIONS.values() if known.kind == "downstream"]
    async with SignInPlayer(sample, app_dir=ROOT, settings=FAST) as player:
        for fault in faults:
            played = await play(player, fault=fault)
            assert played.record is not None, (fault, played.failure)
            claims = sum(len(custom) for custom in played.record.custom_claims.values())
            match EFFECTS[fault]:
                case "claims":
                    # The policy adds a constant to what it takes from the endpoint.
                    assert (codes(played), claims) == ({None}, 2), fault
                case "nobody":
                    assert (codes(played), claims) == ({None}, 1), fault
                case "failure":
                    assert (codes(played), claims) == ({1003002}, 0), fault
            assert any(played.record.correlation_id in line for line in played.log), fault
        assert codes(await play(player, provider="profile_api")) == {None}


@pytest.mark.quiet
async def test_ten_at_once_while_faults_change(sample: Directory) -> None:
    """Each gets the outcome of what was chosen for it, though all ask for the same user and app."""
    wanted: dict[str, int | None] = {
        "none": None,
        "downstream:error": 1003002,
        "downstream:latency": None,
        "reply:1003007": 1003007,
        "downstream:not-found": None,
        "preset:1003021": 1003021,
        "downstream:reset": 1003002,
        "reply:1003006": 1003006,
        "downstream:malformed": 1003002,
        "reply:1003025": 1003025,
    }
    async with SignInPlayer(sample, app_dir=ROOT) as player:
        await play(player, provider="profile_api")  # the first request of a process has a smaller budget
        played = await asyncio.gather(*(play(player, fault=fault, provider="profile_api") for fault in wanted))
        assert {each.choice.fault.id: codes(each) for each in played} == {
            fault: {code} for fault, code in wanted.items()
        }
        correlation_ids = Counter(each.record.correlation_id for each in played if each.record is not None)
        assert len(correlation_ids) == len(wanted)


async def test_each_setting_has_its_own_environment(sample: Directory) -> None:
    """Under ``omit`` a failure is a token without claims; under ``stale`` with those of the last time."""
    async with SignInPlayer(sample, app_dir=ROOT) as player:
        for policy, roles in (("omit", None), ("stale", ["Reader", "Seller"])):
            if policy == "stale":
                await play(player, provider="profile_api", on_failure=policy)
            played = await play(player, fault="downstream:error", on_failure=policy)
            assert codes(played) == {None}, policy
            assert played.record is not None
            assert played.record.custom_claims["id_token"].get("custom_roles") == roles


async def test_an_edit_is_seen_by_the_next_sign_in(
    sample: Directory, app_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also an edit of the same length in the same second, and one with which the app does not start."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    provider = app_dir / "claims" / "providers" / "sample.py"
    text = provider.read_text()

    def write(source: str) -> None:
        provider.write_text(source)
        os.utime(provider, (1_700_000_000, 1_700_000_000))

    write(text)
    async with SignInPlayer(sample, app_dir=app_dir) as player:

        async def roles() -> object:
            played = await play(player)
            assert played.record is not None, played.failure
            return played.record.custom_claims["id_token"]["custom_roles"]

        assert await roles() == ["Writer", "Editor"]
        write(text.replace('"Writer"', '"Reader"'))
        assert await roles() == ["Reader", "Editor"]
        write("def create(environ):\n    raise RuntimeError('the mine is empty')\n")
        broken = await play(player)
        assert broken.record is None
        assert broken.failure is not None
        assert "which raised RuntimeError (claims/providers/sample.py:2)" in broken.failure.detail
        assert (player.main.state, player.main.start_error is None) == ("does not start", False)
        write(text)
        assert await roles() == ["Writer", "Editor"]
        assert (player.main.state, player.main.start_error) == ("running", None)


async def test_a_fault_is_not_injected_into_a_failing_app(sample: Directory, app_dir: Path) -> None:
    """The result says that the fault was not injected, because the failure would not be the fault's."""
    source = app_dir / "claims" / "providers" / "profile_api.py"
    source.write_text(source.read_text().replace("return {} if profile is None", "return {} if True"))
    async with SignInPlayer(sample, app_dir=app_dir) as player:
        choice = player.options.read({"fault": "downstream:error"})
        environment = await player.environment(choice.provider, choice.on_failure)
        bench_of = environment._bench

        async def no_sleep(_: float) -> None:
            await asyncio.sleep(0)

        ticks = itertools.count(step=8.0)
        environment._bench = lambda: replace(bench_of(), sleep=no_sleep, stopwatch=lambda: next(ticks))  # type: ignore[method-assign]  # time is the bench's argument
        played = await player.play(choice)
        assert played.failure is not None
        assert played.failure.title.startswith("The fault was not injected")


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"Claims__Provider": "mine"}, "no claims/providers/mine.py"), ({"Claims__OnFailure": "x"}, "'x'")],
)
def test_settings_that_name_nothing_stop_the_start(sample: Directory, settings: dict[str, str], words: str) -> None:
    """Before anything listens."""
    with pytest.raises(ChoiceError, match=words):
        SignInPlayer(sample, app_dir=ROOT, settings=settings)


async def test_settings_are_the_apps(sample: Directory, app_dir: Path) -> None:
    """The error of a failed start contains the app's own message."""
    async with SignInPlayer(sample, app_dir=app_dir, settings={"Claims__BudgetMs": "1"}) as player:
        played = await play(player)
        assert played.failure is not None
        assert "Claims__BudgetMs" in played.failure.detail


async def test_a_canceled_sign_in_leaves_no_app_running(sample: Directory) -> None:
    """Ctrl-C may arrive while the app is being stopped after a fault."""
    async with SignInPlayer(sample, app_dir=ROOT, settings=FAST) as player:
        environment = await player.environment("profile_api", "fail")
        await environment.start_app()
        app = environment._app
        assert app is not None
        playing = asyncio.Event()

        async def sign_in() -> None:
            async with environment.with_fault(FAULTS["unauthorized"], sample.people[0]):
                playing.set()

        signing_in = asyncio.create_task(sign_in())
        await playing.wait()
        await asyncio.sleep(0)  # the app is being stopped
        signing_in.cancel()
        with pytest.raises(asyncio.CancelledError):
            await signing_in
        assert environment._app is app  # kept until it has ended
    assert app.returncode is not None


async def test_an_endpoint_elsewhere_trusts_the_printed_settings(nowhere: SignInPlayer) -> None:
    """It is started with those settings; its budget is unknown."""
    settings = nowhere.main.trust_settings
    async with AppProcess(settings, app_dir=ROOT) as app:
        nowhere.main.entra.service.set_target_url(app.url + CALLOUT_PATH)
        played = await play(nowhere)
        assert codes(played) == {None}
        assert played.budget_ms is None
        assert nowhere.main.state == "elsewhere"


async def test_every_variety_of_event_can_be_sent(nowhere: SignInPlayer) -> None:
    """Users, apps and the API of the sample tenant are those of the documentation, with what each leaves out."""
    sent: dict[str, Any] = {}
    for name, form in {
        "member": {"user": "ada"},
        "synchronized": {"user": "ben"},
        "guest": {"user": "cleo"},
        "without mail": {"user": "dana"},
        "without a name to sign in with": {"user": "eli"},
        "SAML": {"app": "legacy"},
    }.items():
        record = (await play(nowhere, **form)).record
        assert record is not None
        sent[name] = record.callouts[0].event["data"]["authenticationContext"]
    assert "onPremisesSecurityIdentifier" in sent["synchronized"]["user"]
    assert sent["guest"]["user"]["userType"] == "Guest"
    assert "mail" not in sent["without mail"]["user"]
    assert "userPrincipalName" not in sent["without a name to sign in with"]["user"]
    assert (sent["member"]["protocol"], sent["SAML"]["protocol"]) == ("OAUTH2.0", "SAML")
    both = (await play(nowhere, api="orders")).record
    assert both is not None
    assert {callout.audience.key for callout in both.callouts} == {"portal", "orders"}


async def test_the_page_says_why_a_provider_failed(sample: Directory, tmp_path: Path) -> None:
    """Directly under the verdict: the app's line, its cause, what to do; a good sign-in has none of it."""
    app = copy_app(tmp_path, **BODIES)
    async with SignInPlayer(sample, app_dir=app) as player:
        played = await play(player, provider="raises")
        assert played.record is not None, played.failure
        logged = dict(sign_in_view(played.record, played).logged)
        assert f"AttributeError at claims/providers/raises.py:{FAULTY_LINE}" in logged["app"]
        assert logged["cause"] == "the provider raised an exception"
        good = await play(player, provider="sample")
        assert good.record is not None, good.failure
        assert sign_in_view(good.record, good).logged == ()
        html = render(
            "playground.html.jinja",
            **home_values(player, played.choice, page_token="x", played=played, record=played.record),
        )
        verdict = html.partition('<section class="verdict')[2].partition("</section>")[0]
        assert f"AttributeError at claims/providers/raises.py:{FAULTY_LINE}" in verdict


async def test_a_blocking_provider_is_named_and_its_token_is_a_warning(sample: Directory, tmp_path: Path) -> None:
    """The retry minted it: no green word, and the place that blocks."""
    async with SignInPlayer(sample, app_dir=copy_app(tmp_path, **BODIES)) as player:
        played = await play(player, provider="blocks", user="ada")
        assert played.record is not None, played.failure
        view = sign_in_view(played.record, played)
        assert (view.word, view.tone) == ("Token minted by the retry", "warn")
        assert "attempt 1 timed out" in view.sentence
        assert any(f"blocked at claims/providers/blocks.py:{FAULTY_LINE}" in text for _, text in view.logged), (
            view.logged
        )
        assert any("attempt 1 timed out" in warning for call in view.calls for warning in call.warnings)
