"""``token`` as people run it: against the emulated Entra, and with a call to the app of this checkout."""

import io
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.cli import main, parser
from selftest.commands import token as command
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.play.target import endpoint_settings
from selftest.tenant.direct_call.expectations import expectations
from tests.checkout import ROOT
from tests.selftest.scripted_server import answer, claims_reply, scripted_server

APP = DEFAULT_TENANT.audience_app_id
OTHER = DEFAULT_TENANT.other_resource.app_id


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run in an empty folder, without a setting of the machine's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLIENT_SECRET", raising=False)


@pytest.fixture
async def entra() -> AsyncIterator[EntraServer]:
    """Give an emulated Entra that listens."""
    async with EntraServer() as server:
        yield server


async def run(entra: EntraServer, *words: str) -> int:
    """Run the command in this loop, where the emulated Entra listens."""
    args = parser().parse_args(["token", "--authority-url", entra.authority_url, *words])
    expected = expectations({}, "", authority_url=args.authority_url, audience=args.audience)
    return await command._run(args, expected)


async def test_token_of_the_emulated_entra(entra: EntraServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a setting and without a secret the practice run passes, and names the setting for a further one."""
    assert await run(entra) == 0
    out = capsys.readouterr().out

    assert out.splitlines()[-1].startswith("PASS  everything is as the endpoint expects except the caller")
    assert f"Claims__AdditionalCallerAppIds={APP}" in out
    assert "eyJ" not in out


async def test_token_file_and_json(
    entra: EntraServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that is at hand is compared as well; JSON holds rows, and no token."""
    token = entra.mint.callout_token(aud=OTHER)
    (tmp_path / "token").write_text(f"{token}\n")

    assert await run(entra, "--token-file", str(tmp_path / "token"), "--json") == 1
    told = json.loads(out := capsys.readouterr().out)
    assert [row["claim"] for row in told["rows"] if row["state"] != "ok"] == ["aud"]
    assert (told["result"], told["call"]) == ("FAIL", None)
    assert "eyJ" not in out

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(entra.mint.callout_token().encode())))
    assert await run(entra, "--token-file", "-") == 0


async def test_token_is_kept_for_its_owner_alone(entra: EntraServer, tmp_path: Path) -> None:
    """The file that the token goes to can be read by nobody else, also when it was there before."""
    path = tmp_path / "kept"
    path.write_text("something longer than that, and open" * 99)
    path.chmod(0o644)

    assert await run(entra, "--out-token", str(path)) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("eyJ")
    assert path.read_text().count("\n") == 1


async def test_call_of_the_app_of_this_checkout(entra: EntraServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The app refuses the API's own token as it should, and answers it when the setting lets it in."""
    settings = endpoint_settings(entra)
    async with AppProcess(settings, app_dir=ROOT) as app:
        assert await run(entra, "--call", app.url) == 0
        assert "refused with 401, as it should be" in capsys.readouterr().out
    async with AppProcess({**settings, "Claims__AdditionalCallerAppIds": APP}, app_dir=ROOT) as app:
        # The settings here do not know what the endpoint's own know: that is a finding.
        assert await run(entra, "--call", f"{app.url}{CALLOUT_PATH}") == 1
        assert "accepted a caller that is not Entra's" in capsys.readouterr().out
        args = parser().parse_args(["token", "--call", app.url])
        expected = expectations(
            {"AuthenticationEvents__AuthorityUrl": entra.authority_url, "Claims__AdditionalCallerAppIds": APP}, ""
        )
        assert await command._run(args, expected) == 0
        assert "PASS  the endpoint accepted the token" in capsys.readouterr().out


async def test_call_of_other_endpoints(entra: EntraServer, capsys: pytest.CaptureFixture[str]) -> None:
    """What Entra would make of the answer is said with its code; the key in the URL is not."""
    async with scripted_server([answer("500 Internal Server Error")]) as server:
        assert await run(entra, "--call", f"{server.url}?code=functionkey") == 1
        out = capsys.readouterr().out
        assert "FAIL  no token: 1003002" in out
        assert "functionkey" not in out
    async with scripted_server([claims_reply({"a": "b"})]) as server:
        assert await run(entra, "--call", server.url) == 1
        assert "the token is not validated" in capsys.readouterr().out
    async with scripted_server([answer("401 Unauthorized")]) as server:
        assert await run(entra, "--call", server.url, "--audience", OTHER, "--client-id", APP) == 1
        assert "refused with 401: aud differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["--secret-file", "absent"],
        ["--token-file", "absent"],
        [
            "--authority-url",
            "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111",
            "--audience",
            APP,
        ],
        ["--audience", "mine"],
        ["--settings", "absent.json"],
    ],
)
def test_what_cannot_run_is_exit_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A missing secret, file or id is one line; no request leaves for a real tenant without a secret."""
    assert main(["token", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith("token: ")


def test_secret_is_never_an_argument() -> None:
    """Arguments stand in the process list and the shell's history."""
    with pytest.raises(SystemExit):
        parser().parse_args(["token", "--secret", "x"])
    with pytest.raises(SystemExit):
        parser().parse_args(["token", "--client-secret", "x"])
