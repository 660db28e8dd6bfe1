"""From a new claim of a provider to the application's token: what the endpoint returned is registered and mapped."""

import asyncio
import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from selftest import cli
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.tenant.graph.objects import SAMPLE_CLAIMS
from selftest.tenant.objects.intent import Intent
from tests.checkout import ROOT
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.graph.wiring import bare_tenant
from tests.selftest.tenant.objects.entra_environment import CLIENT, compare_with_the_description
from tests.selftest.tenant.objects.test_command import ENABLE, ENVIRON, graph, run

PROVIDER = """
class MyProvider:
    async def provide(self, event, context):
        user = event.context.user
        return {"Region": "eu", "groups": ["a"], **({"Visitor": True} if user.user_type == "Guest" else {})}


def create(environ):
    return MyProvider()
"""


async def command(*words: str) -> tuple[int, str, str]:
    """Run a command of the tool; return its exit code, and what it wrote to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = await asyncio.to_thread(cli.main, words)
    return code, out.getvalue(), err.getvalue()


def app_with_provider(directory: Path) -> Path:
    """Copy the app, and add a provider to it."""
    directory.mkdir()
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, directory)
    shutil.copytree(ROOT / "claims", directory / "claims", ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "claims" / "providers" / "mine.py").write_text(PROVIDER)
    return directory


async def sign_in(app: Path, *words: str) -> tuple[dict[str, Any], str]:
    """Sign in at the app; return the sign-in, and what was said on stderr."""
    code, out, err = await command(
        "signin", "--app", str(app), "--setting", "Claims__Provider=mine", "--authority-port", "0", "--json", *words
    )
    assert code == 0, err
    played: dict[str, Any] = json.loads(out)
    return played, err


def policy_of(server: GraphServer, file: Path) -> Path:
    """Write the application's policy, as Graph returns it."""
    (policy,) = server.directory.export()["claimsMappingPolicies"]
    file.write_text(json.dumps(policy))
    return file


def registered(server: GraphServer) -> list[str]:
    """Return the names that the extension registers."""
    (extension,) = server.directory.export()["customAuthenticationExtensions"]
    return [each["claimIdInApiResponse"] for each in extension["claimsForTokenConfiguration"]]


async def doctor(server: GraphServer, directory: Path, claims: Path) -> tuple[int, set[str]]:
    """Return the doctor's exit code and the ids of what it found or hinted at."""
    application = server.directory.lookup("applications", "uniqueName", Intent(environment="dev").unique_name)
    assert application is not None
    values = {
        "AuthenticationEvents__AuthorityUrl": f"https://login.microsoftonline.com/{DEFAULT_TENANT.tenant_id}",
        "AuthenticationEvents__AudienceAppId": application["appId"],
    }
    (directory / "settings.json").write_text(json.dumps({"Values": values}))
    words = ("--settings", str(directory / "settings.json"), "--tenant", DEFAULT_TENANT.tenant_id, "--app", CLIENT)
    code, out, _ = await command("doctor", *words, "--graph-url", server.url, "--claims-from", str(claims), "--json")
    document = json.loads(out)
    return code, {each["check"] for each in (*document["findings"], *document["hints"])}


@pytest.mark.parametrize("mode", [None, "saml"])
async def test_new_claim_reaches_the_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str | None
) -> None:
    """A tenant that was set up with the sample's claims gets those of the provider, in extension, policy and token."""
    app, claims = app_with_provider(tmp_path / "app"), tmp_path / "claims.json"
    user = ("--user", "saml") if mode == "saml" else ()
    tenant = bare_tenant()
    next(one for one in tenant["servicePrincipals"] if one["appId"] == CLIENT)["preferredSingleSignOnMode"] = mode
    async with GraphServer(tenant) as server:
        assert await run(server, "apply", *ENABLE) == 0
        assert registered(server) == list(SAMPLE_CLAIMS)

        played, _ = await sign_in(app, *user, "--mapping", str(policy_of(server, tmp_path / "policy.json")))
        assert not played["custom_claims"]
        lost = {each["claim"] for each in played["verdict"]["warnings"] if each["kind"] == "unmapped-claim"}
        assert lost == {"Region", "groups"}

        _, said = await sign_in(app, *user, "--claims-out", str(claims))
        assert f"claims in {claims}: 2; new: 'Region', 'groups'" in said
        assert json.loads(claims.read_text()) == {"Region": "Region", "groups": "custom_groups"}
        assert (await doctor(server, tmp_path, claims))[1] >= {"D68", "D77"}

        before = server.directory.export()
        capsys.readouterr()
        assert await run(server, "plan", *ENABLE, "--claims-from", str(claims)) == 0
        planned = capsys.readouterr().out
        assert planned.count("would change") == 2
        assert "Region" in planned
        assert server.directory.export() == before

        assert await run(server, "apply", *ENABLE, "--claims-from", str(claims)) == 0
        assert registered(server) == ["Region", "groups"]
        assert await doctor(server, tmp_path, claims) == (0, set())

        played, said = await sign_in(app, *user, "--mapping", str(policy_of(server, tmp_path / "policy.json")))
        assert played["custom_claims"] == {"Region": "eu", "custom_groups": ["a"]}
        assert played["token_claims"].items() >= played["custom_claims"].items()
        assert played["verdict"]["warnings"] == []
        compare_with_the_description(server)


async def test_claims_of_another_kind_of_user_are_added(tmp_path: Path) -> None:
    """A guest gets one claim more; the file then has the names of both, and no value."""
    app, claims = app_with_provider(tmp_path / "app"), tmp_path / "claims.json"
    await sign_in(app, "--claims-out", str(claims))
    _, said = await sign_in(app, "--user", "guest", "--claims-out", str(claims))
    assert f"claims in {claims}: 3; new: 'Visitor'" in said
    assert set(json.loads(claims.read_text())) == {"Region", "groups", "Visitor"}
    assert "eu" not in claims.read_text()


async def test_extension_alone_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --enable no policy changes, and the command says what is missing."""
    claims = tmp_path / "claims.json"
    claims.write_text('{"Region": "Region"}')
    async with graph() as server:
        assert await run(server, "apply", "--claims-from", str(claims)) == 0
        assert "no mapping policy is changed: with --enable" in capsys.readouterr().err
        assert await run(server, "apply", "--claims-from", str(claims), *ENABLE) == 0
        assert "no mapping policy" not in capsys.readouterr().err


async def test_hooks_of_azd_take_the_file_from_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hook has no flags; where it would register another list again, the command says how to set the file."""
    claims = tmp_path / "claims.json"
    claims.write_text('{"Region": "Region"}')
    async with graph() as server:
        old = {**ENVIRON, "ENTRA_CLAIMS": "DateOfBirth"}
        assert await run(server, "apply", "--claims-from", str(claims), environ=old) == 0
        assert f"azd env set ENTRA_CLAIMS_FROM {claims}" in capsys.readouterr().err
        assert await run(server, "apply", environ=old) == 0
        assert registered(server) == ["DateOfBirth"]
        assert await run(server, "apply", environ={**old, "ENTRA_CLAIMS_FROM": str(claims)}) == 0
        assert registered(server) == ["Region"]
        assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("{}", "claims.json names no claim"),
        ('{"a": "sub"}', "claims.json: a policy may not emit 'sub'; give 'a' another name in the token, as 'a'"),
        ('{"a": ""}', "claims.json: 'a' has no name on one side"),
        ('{"a": "c", "b": "c"}', "claims.json names 'c' twice"),
        ('["a"]', "should be a JSON object of texts"),
    ],
)
async def test_file_that_cannot_be_used_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, says: str
) -> None:
    """Every fault names the file, and nothing is sent."""
    claims = tmp_path / "claims.json"
    if content is not None:
        claims.write_text(content)
    async with graph() as server:
        assert await run(server, "apply", "--claims-from", str(claims)) == 2
        assert says in capsys.readouterr().err
        assert server.log == []


def test_claims_have_one_source(tmp_path: Path) -> None:
    """A list and a file at once is a usage error, for the objects and for the doctor."""
    (tmp_path / "claims.json").write_text("{}")
    for words in (("objects", "plan"), ("doctor",)):
        with pytest.raises(SystemExit):
            cli.parser().parse_args([*words, "--claims", "a", "--claims-from", str(tmp_path / "claims.json")])
