"""Where the endpoint under test is, and what is started beside it."""

import argparse
import json
import socket
from pathlib import Path

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import endpoint_url, health_url, port_number
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.server import EntraServer
from selftest.host.http_edge import BODY_LIMIT_SETTING
from selftest.host.process import AppStartError
from selftest.play.target import (
    HOST_SETTINGS,
    add_target_arguments,
    app_settings,
    endpoint_settings,
    open_target,
)
from tests.checkout import ROOT
from tests.selftest.scripted_server import answer, scripted_server


def _parse(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_target_arguments(parser)
    return parser.parse_args(argv)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:7071", "http://localhost:7071/api/onTokenIssuanceStart"),
        ("http://localhost:7071/", "http://localhost:7071/api/onTokenIssuanceStart"),
        ("https://app.example?code=x", "https://app.example/api/onTokenIssuanceStart?code=x"),
        ("https://app.example/claims?code=a%3D%3D", "https://app.example/claims?code=a%3D%3D"),
        ("http://[::1]:1/x", "http://[::1]:1/x"),
    ],
)
def test_endpoint_url(text: str, url: str) -> None:
    """A URL without a path gets the callout's; any other is kept, its query too."""
    assert endpoint_url(text) == url


@pytest.mark.parametrize("text", ["", "localhost:7071", "ftp://x/", "http://", "http://user:pw@x/", "http://x/#f"])
def test_no_endpoint_url(text: str) -> None:
    """What cannot be posted to is refused when the arguments are read."""
    with pytest.raises(argparse.ArgumentTypeError):
        endpoint_url(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://x:1/api/onTokenIssuanceStart?code=secret", "http://x:1/api/health"),
        ("http://x/claims", "http://x/health"),
        ("http://x/", "http://x/api/health"),
    ],
)
def test_health_url(url: str, expected: str) -> None:
    """Health stands beside the callout's route, without the callout's key."""
    assert health_url(url) == expected


@pytest.mark.parametrize("text", ["-1", "65536", "x", "", "\u0668\u0664"])
def test_ports_that_are_none(text: str) -> None:
    """Only 0 to 65535 in ASCII digits is a port."""
    with pytest.raises(argparse.ArgumentTypeError, match="0 to 65535"):
        port_number(text)


async def test_folder_without_an_app_says_what_to_name(tmp_path: Path) -> None:
    """Outside of an app's folder the message leads to both flags."""
    with pytest.raises(CannotRun, match=r"--app DIR, or an endpoint that runs with --url URL"):
        async with open_target(_parse("--app", str(tmp_path))):
            pytest.fail("there was an app")


async def test_running_endpoint(unused_port: int) -> None:
    """With --url nothing is started but the emulated Entra, on the authority's port and with the given ids."""
    tenant_id, audience = "abcdefab-0000-4000-8000-000000000000", "abcdefab-0000-4000-8000-000000000001"
    async with scripted_server([answer()]) as server:
        args = _parse(
            *("--url", server.url, "--authority-port", str(unused_port)),
            *("--tenant", tenant_id.upper(), "--audience", audience),
        )
        async with open_target(args) as target:
            assert target.app is None
            assert target.url == server.url
            assert target.entra.authority_url == f"http://127.0.0.1:{unused_port}/{tenant_id}"
            assert target.tenant.audience_app_id == audience
            call = await target.caller.call(target.url, token="t", event=b"{}")
    assert call.reply.status == 200


async def test_authority_port_in_use() -> None:
    """A taken authority port is an error that names the port and the way on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotRun, match=rf"127\.0\.0\.1:{port}.*--authority-port"):
            async with open_target(_parse("--url", "http://127.0.0.1:1/", "--authority-port", str(port))):
                pass


async def test_prepare_comes_first() -> None:
    """What prepare publishes is there before the endpoint can ask."""
    seen: list[str] = []

    def prepare(entra: EntraServer) -> None:
        seen.append(entra.mint.authority_url)

    args = _parse("--url", "http://127.0.0.1:1/", "--authority-port", "0")
    async with open_target(args, prepare=prepare) as target:
        assert seen == [target.entra.authority_url]


def test_tenant_must_be_a_guid(capsys: pytest.CaptureFixture[str]) -> None:
    """A tenant that is no GUID is a usage error which says what one looks like."""
    with pytest.raises(SystemExit) as caught:
        _parse("--tenant", "contoso.example")
    assert caught.value.code == 2
    assert "expected a GUID such as" in capsys.readouterr().err


async def test_settings_name_the_emulated_entra() -> None:
    """The settings are those that make an endpoint believe this tenant, under Microsoft's names where there are any."""
    async with EntraServer() as entra:
        assert endpoint_settings(entra) == {
            "AuthenticationEvents__AuthorityUrl": entra.authority_url,
            "AuthenticationEvents__AudienceAppId": DEFAULT_TENANT.audience_app_id,
            "Claims__ApplicationIdUri": DEFAULT_TENANT.application_id_uri,
            "Claims__AllowedExtensionIds": DEFAULT_TENANT.extension_id,
        }


async def test_app_here_has_the_deployed_limit_of_bodies() -> None:
    """The app of this checkout runs behind the host's limit, as with Core Tools; endpoints elsewhere have theirs."""
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    async with EntraServer() as entra:
        assert app_settings(entra) == {**endpoint_settings(entra), **HOST_SETTINGS}
    assert HOST_SETTINGS == {BODY_LIMIT_SETTING: "65536"}
    assert HOST_SETTINGS.items() <= sample.items()


@pytest.fixture
def unused_port() -> int:
    """Give a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_chosen_settings_reach_the_app() -> None:
    """--setting changes the local app: a provider that is not there stops its start."""
    with pytest.raises(AppStartError, match=r"no claims/providers/nobody\.py"):
        async with open_target(_parse("--setting", "Claims__Provider=nobody")):
            pass


async def test_chosen_settings_are_for_the_local_app() -> None:
    """With --url they could not be kept, so they are refused."""
    with pytest.raises(CannotRun, match="--setting is for the local app"):
        async with open_target(_parse("--url", "http://127.0.0.1:9", "--setting", "A=b")):
            pass


@pytest.mark.parametrize("text", ["Claims__Provider", "=x"])
def test_settings_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A setting has a name and a value."""
    with pytest.raises(SystemExit):
        _parse("--setting", text)
    assert "expected NAME=VALUE" in capsys.readouterr().err
