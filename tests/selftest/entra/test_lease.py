"""The authority's port, lent by one process to another."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from selftest.base.cannot_run import CannotRun
from selftest.base.sample_tenant import local_tenant
from selftest.entra.lease import borrowed, lending, rotate_keys
from selftest.entra.server import EntraServer
from selftest.entra.state_folder import state_folder

TENANT = local_tenant(audience_app_id="abcdefab-0000-4000-8000-000000000001")


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture(name="lender")
async def an_entra_that_lends() -> AsyncIterator[EntraServer]:
    """Return an emulated Entra that runs and lends its port."""
    async with EntraServer(TENANT) as server, lending(server, give_up=lambda: pytest.fail("lost"), say=lambda _: None):
        yield server


async def _answers(server: EntraServer) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{server.authority_url}/discovery/keys"):
            return True
    except aiohttp.ClientConnectionError:
        return False


async def _answers_soon(server: EntraServer) -> bool:
    for _ in range(200):
        if await _answers(server):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_the_port_is_free_for_as_long_as_it_is_borrowed(lender: EntraServer) -> None:
    """The borrower listens on the same port, twice, and the lender takes it back each time."""
    for _ in range(2):
        async with borrowed(lender.port) as lent:
            assert lent is not None
            assert not lent.https
            assert (lent.tenant_id, lent.audience_app_id) == (TENANT.tenant_id, TENANT.audience_app_id)
            assert not await _answers(lender)
            async with EntraServer(TENANT, port=lender.port) as borrower:
                assert await _answers(borrower)
                assert borrower.hits["keys_v1"] == 1
        assert await _answers_soon(lender)


async def test_kept_connections_do_not_stay_with_the_lender(lender: EntraServer) -> None:
    """A client that keeps its connection asks the borrower next."""
    async with aiohttp.ClientSession() as session:
        url = f"{lender.authority_url}/discovery/keys"
        await (await session.get(url)).read()
        async with borrowed(lender.port), EntraServer(TENANT, port=lender.port) as borrower:
            await (await session.get(url)).read()
            assert borrower.hits["keys_v1"] == 1


async def test_one_borrower_at_a_time(lender: EntraServer) -> None:
    """A second one is told what to do."""
    async with borrowed(lender.port), AsyncExitStack() as stack:
        with pytest.raises(CannotRun, match="another command uses the `entra` on port"):
            await stack.enter_async_context(borrowed(lender.port))


@pytest.mark.parametrize(
    "sent", [b"wrong\n", b"\n", b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"x" * 4096, b"\xff\n", b""]
)
async def test_without_the_secret_nothing_happens(lender: EntraServer, sent: bytes) -> None:
    """A web page can send a request to the port, and is hung up on."""
    port = json.loads((state_folder() / f"entra-{lender.port}.json").read_text())["control_port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    writer.write_eof()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    assert await _answers(lender)


async def test_the_file_goes_with_its_process() -> None:
    """After the end, and without an entra, nothing is borrowed; a file left by a crash changes nothing."""
    async with EntraServer(TENANT) as server:
        async with lending(server, give_up=lambda: None, say=lambda _: None):
            path = state_folder() / f"entra-{server.port}.json"
            left = path.read_text()
            assert path.stat().st_mode & 0o777 == 0o600
        assert not path.exists()
        async with borrowed(server.port) as none:
            assert none is None
        path.write_text(left)
        async with borrowed(server.port) as none:
            assert none is None


async def test_a_port_that_is_lost_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """If something else listens on the port in the meantime, the lender says so and ends."""
    monkeypatch.setattr("selftest.entra.lease._TAKE_BACK_TIMEOUT_S", 0.0)
    said: list[str] = []
    ended = asyncio.Event()
    async with (
        EntraServer(TENANT) as server,
        lending(server, give_up=ended.set, say=said.append),
        AsyncExitStack() as stack,
    ):
        async with borrowed(server.port):
            await stack.enter_async_context(EntraServer(TENANT, port=server.port))
        await asyncio.wait_for(ended.wait(), 20)
    assert "cannot be listened on again" in said[-1]


async def test_keys_are_rotated_with_the_secret_of_the_file(lender: EntraServer) -> None:
    """The command reads it from a file that only its user can read."""
    before = lender.keys.current
    assert await rotate_keys(lender.port, None) == lender.keys.current.kid != before.kid
    file = state_folder() / f"entra-{lender.port}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["secret"] == lender.control_secret


async def test_nothing_to_rotate(lender: EntraServer) -> None:
    """A port without an `entra`, and one whose secret is another."""
    with pytest.raises(CannotRun, match="no `entra` of yours answers at http"):
        await rotate_keys(1, None)
    lender.control_secret = "another"
    with pytest.raises(CannotRun, match="of yours"):
        await rotate_keys(lender.port, None)
