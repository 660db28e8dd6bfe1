"""``entra`` as a process, and ``signin`` against the app of this checkout."""

import signal
import socket
import ssl
from asyncio.subprocess import Process
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.certificates import CA_FILE
from selftest.entra.state_folder import state_folder
from tests.checkout import ROOT
from tests.selftest.command_process import command_process, exit_code

SAMPLE = str(ROOT / "selftest" / "signin" / "tenant" / "sample.toml")


async def _lines_until_listening(process: Process) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or not lines[-1].startswith("# listening on "):
        line = await process.stdout.readline()
        assert line, "the process ended before it listened"
        lines.append(line.decode().rstrip())
    return lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_prints_settings_and_serves_until_a_signal(number: signal.Signals) -> None:
    """The printed authority serves metadata, and a signal ends the command with exit code 0."""
    async with command_process("entra", "--port", "0") as process:
        lines = await _lines_until_listening(process)
        settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
        assert settings["AuthenticationEvents__AudienceAppId"] == DEFAULT_TENANT.audience_app_id
        authority_url = settings["AuthenticationEvents__AuthorityUrl"]
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{authority_url}/v2.0/.well-known/openid-configuration") as response,
        ):
            assert (await response.json())["issuer"] == f"{authority_url}/v2.0"
        process.send_signal(number)
        assert await process.wait() == 0


@pytest.fixture
def interrupts_off() -> Iterator[None]:
    """Ignore and block SIGINT, as in a test run under nohup or in the background."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("interrupts_off")
async def test_the_interrupt_does_not_depend_on_the_signals_of_the_test_run() -> None:
    """A test of an interrupt has the same result where the parent process ignores and blocks it."""
    async with command_process("entra", "--port", "0") as process:
        await _lines_until_listening(process)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("missing", "argv", "ends"),
    [("jinja2", ("--port", "x"), "expected a port"), ("jinja2", ("--tenant-file", SAMPLE), "'jinja2' is missing here")],
)
async def test_missing_extra(missing: str, argv: tuple[str, ...], ends: str) -> None:
    """The authority works without the packages of sign-ins; with a tenant file a missing one is named."""
    before = f"import sys; sys.modules[{missing!r}] = None"
    async with command_process("entra", *argv, before=before) as process:
        _, err = await process.communicate()
    assert process.returncode == 2
    assert ends in err.decode()


@pytest.mark.parametrize("missing", ["lxml", "signxml"])
async def test_a_saml_app_without_the_extra_is_named_at_the_start(missing: str) -> None:
    """Apps with OpenID Connect can sign in all the same; the page of SAML says why it cannot, with what to install."""
    before = f"import sys; sys.modules[{missing!r}] = None"
    fault = f"SAML requires the package {missing}: install entra-selftest[browser]"
    async with command_process("entra", "--port", "0", "--tenant-file", SAMPLE, before=before) as process:
        lines = await _lines_until_listening(process)
        assert f"# warning: {fault}" in lines
        authority = next(line for line in lines if line.startswith("# authority for client libraries: ")).split()[-1]
        async with aiohttp.ClientSession() as session, session.get(f"{authority}/saml2") as response:
            assert (response.status, await response.text()) == (501, fault)


@pytest.mark.parametrize("flags", [(), ("--https",)])
async def test_rotates_the_keys_of_the_one_that_runs(flags: tuple[str, ...]) -> None:
    """The line that is printed runs as printed."""
    async with command_process("entra", "--port", "0", *flags) as process:
        lines = await _lines_until_listening(process)
        printed = next(line for line in lines if line.startswith("# new signing key: ")).split(" entra ")[1]
        async with command_process("entra", *printed.split()) as rotating:
            out, err = await rotating.communicate()
        assert (rotating.returncode, err.decode()) == (0, "")
        authority = lines[0].partition("=")[2]
        trust = ssl.create_default_context(cafile=state_folder() / CA_FILE) if flags else True
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{authority}/discovery/v2.0/keys", ssl=trust) as response,
        ):
            assert out.decode().strip() in {key["kid"] for key in (await response.json())["keys"]}


async def test_tenant_file_with_https(tmp_path: Path) -> None:
    """With a tenant file apps find their authority by https, and the authority's certificate in a file."""
    ca_file = tmp_path / "ca.pem"
    argv = ("--tenant-file", SAMPLE, "--https", "--https-port", "0", "--ca-file", str(ca_file))
    async with command_process("entra", "--port", "0", *argv) as process:
        lines = await _lines_until_listening(process)
        authority = next(line for line in lines if line.startswith("# authority for client libraries: ")).split()[-1]
        trusting = ssl.create_default_context(cafile=str(ca_file))
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{authority}/v2.0/.well-known/openid-configuration", ssl=trusting) as response,
        ):
            assert (await response.json())["authorization_endpoint"] == f"{authority}/oauth2/v2.0/authorize"
        assert any("REQUESTS_CA_BUNDLE=" in line for line in lines)
        assert any(DEFAULT_TENANT.client.app_id in line for line in lines)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert "PRIVATE" not in ca_file.read_text()


async def test_https_without_a_tenant_file_is_the_authority() -> None:
    """The port itself is https, how to trust it is printed, and a sign-in takes the port over and gives it back."""
    async with command_process("entra", "--port", "0", "--https") as process:
        lines = await _lines_until_listening(process)
        authority = next(line for line in lines if "AuthorityUrl=" in line).partition("=")[2]
        assert authority.startswith("https://127.0.0.1:")
        ca_file = next(line for line in lines if "SSL_CERT_FILE=" in line).partition("=")[2].split()[0]
        port = authority.split(":")[2].split("/")[0]
        async with command_process("signin", "--url", "http://127.0.0.1:1/", "--authority-port", port) as sign_in:
            _, err = await sign_in.communicate()
        assert sign_in.returncode == 1, err.decode()
        assert process.stderr is not None
        said = [(await process.stderr.readline()).decode() for _ in range(2)]
        assert "is lent to another command" in said[0]
        assert said[1].endswith(" again\n")
        trusting = ssl.create_default_context(cafile=ca_file)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{authority}/v2.0/.well-known/openid-configuration", ssl=trusting) as response,
        ):
            assert (await response.json())["issuer"] == f"{authority}/v2.0"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--url", "http://127.0.0.1:1"), "--url requires --tenant-file"),
        (("--tenant-file", "/nowhere.toml"), "/nowhere.toml cannot be read"),
        (("--tenant-file", "pyproject.toml"), "there is no such key here"),
        (("--tenant-file", SAMPLE, "--audience", DEFAULT_TENANT.audience_app_id), "are set in the tenant file"),
        (("--tenant-file", SAMPLE, "--https", "--ca-file", "/nowhere/ca.pem"), "--ca-file /nowhere/ca.pem cannot be"),
    ],
)
def test_what_cannot_run(argv: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A contradiction or a file that cannot be used is exit code 2 with what to do, and no traceback."""
    assert exit_code("entra", "--port", "0", *argv) == 2
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    """A taken port is exit code 2 with the port and the way on, and no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert exit_code("entra", "--port", port) == 2
    err = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in err
    assert "--port" in err
    assert "Traceback" not in err


def test_sign_in_at_the_local_app(capsys: pytest.CaptureFixture[str]) -> None:
    """Against the app of this checkout a member gets a token, and the first line says so."""
    assert exit_code("signin", "--user", "member") == 0
    assert capsys.readouterr().out.startswith("PASS  token minted with ")
