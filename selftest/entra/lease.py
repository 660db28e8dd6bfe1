"""Lend the authority's port from an ``entra`` that runs to a command that checks the same endpoint.

An endpoint that reads the metadata when it starts needs an authority before a check begins, and the check has to answer
on the same port afterwards. So ``entra`` writes a file that only its user can read, with the port on which it can be
asked and a secret. Whoever sends the secret there gets the authority's port for as long as the connection is open, also
if the process dies. A web page cannot do that: it does not know the secret, and a request of HTTP is hung up on.
"""

import asyncio
import contextlib
import hmac
import json
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import aiohttp

from selftest.base.bounded_file import FileError
from selftest.base.cannot_run import CannotRun
from selftest.base.serve import HOST
from selftest.entra.server import EntraServer
from selftest.entra.state_folder import read_object, state_folder, write_private

_ANSWER_TIMEOUT_S: Final = 5.0
_LINE_BYTES: Final = 256
#: The borrower's own listener may need a moment to close.
_TAKE_BACK_TIMEOUT_S: Final = 10.0
_TAKE_BACK_POLL_S: Final = 0.1
_LENT: Final = b"lent\n"
_BUSY: Final = b"busy\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class LentAuthority:
    """What the endpoint of a running ``entra`` is configured for.

    Attributes:
        https: Whether the authority is served over https.
        tenant_id: The tenant.
        audience_app_id: The client id of the endpoint's registration.
        extension_id: The extension of its events.
    """

    https: bool = False
    tenant_id: str | None = None
    audience_app_id: str | None = None
    extension_id: str | None = None


def _path(port: int) -> Path:
    return state_folder() / f"entra-{port}.json"


@asynccontextmanager
async def lending(
    server: EntraServer,
    *,
    give_up: Callable[[], None],
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr),
) -> AsyncIterator[None]:
    """Lend the port of a server that listens, as often as it is asked for, until the block ends.

    Args:
        server: The server.
        give_up: Called if the port cannot be taken back.
        say: Called with what happens to the port.
    """
    secret = server.control_secret
    lock = asyncio.Lock()

    async def lend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            asked = await asyncio.wait_for(reader.readline(), _ANSWER_TIMEOUT_S)
            if hmac.compare_digest(asked.strip(), secret.encode()):
                if lock.locked():
                    writer.write(_BUSY)
                    await writer.drain()
                else:
                    async with lock:
                        await _lend_to(server, reader, writer, say=say, give_up=give_up)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    control = await asyncio.start_server(lend, HOST, 0, limit=_LINE_BYTES)
    tenant = server.tenant
    lent = LentAuthority(
        https=server.base_url.startswith("https:"),
        tenant_id=tenant.tenant_id,
        audience_app_id=tenant.audience_app_id,
        extension_id=server.extension_ids[0] if server.extension_ids else tenant.extension_id,
    )
    path = _path(server.port)
    port = control.sockets[0].getsockname()[1]
    try:
        write_private(path, json.dumps({"control_port": port, "secret": secret, **asdict(lent)}))
    except OSError as error:
        say(f"{path} cannot be written ({error.strerror}): check, signin and load cannot use this authority")
    try:
        yield
    finally:
        with contextlib.suppress(OSError, FileError):
            if read_object(path).get("secret") == secret:
                path.unlink()
        control.close()
        control.abort_clients()
        async with lock:  # the port is taken back first: its owner closes it afterwards
            pass


async def _lend_to(
    server: EntraServer,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    say: Callable[[str], None],
    give_up: Callable[[], None],
) -> None:
    """Close the port until the borrower's connection ends."""
    await server.pause()
    say(f"# {server.base_url} is lent to another command")
    try:
        writer.write(_LENT)
        await writer.drain()
        await reader.read()
    finally:
        deadline_s = asyncio.get_running_loop().time() + _TAKE_BACK_TIMEOUT_S
        while True:
            try:
                await server.resume()
            except OSError as error:
                if asyncio.get_running_loop().time() > deadline_s:
                    say(f"{server.base_url} cannot be listened on again ({error.strerror})")
                    give_up()
                    break
                await asyncio.sleep(_TAKE_BACK_POLL_S)
            else:
                say(f"# listening on {server.base_url} again")
                break


@asynccontextmanager
async def borrowed(port: int) -> AsyncIterator[LentAuthority | None]:
    """Take over the port of an ``entra`` that runs; return None if there is none.

    Raises:
        CannotRun: Another command has the port.
    """
    try:
        offer = read_object(_path(port))
        lent = LentAuthority(**{name: offer[name] for name in LentAuthority.__slots__})
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(HOST, int(offer["control_port"]))
            writer.write(f"{offer['secret']}\n".encode())
            answer = await reader.readline()
    except (FileError, OSError, KeyError, TypeError, ValueError, TimeoutError):
        yield None  # there is none, or it is gone
        return
    try:
        if answer == _BUSY:
            raise CannotRun(
                f"another command uses the `entra` on port {port}; wait for its end, or give this one its own"
                " --authority-port and an endpoint of its own"
            )
        yield lent if answer == _LENT else None
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def rotate_keys(port: int, tls: ssl.SSLContext | None) -> str:
    """Make an ``entra`` that runs sign with a new key, and return the key's id.

    Args:
        port: Its port.
        tls: The context that trusts it where it serves https; None for http.

    Raises:
        CannotRun: There is none that this user started, or it does not answer.
    """
    url = f"{'http' if tls is None else 'https'}://{HOST}:{port}/rotate"
    try:
        headers = {"Authorization": f"Bearer {read_object(_path(port))['secret']}"}
        timeout = aiohttp.ClientTimeout(total=_ANSWER_TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
            session.post(url, headers=headers, ssl=tls or True) as response,
        ):
            return str((await response.json())["kid"])
    except (FileError, OSError, KeyError, ValueError, aiohttp.ClientError, TimeoutError) as error:
        raise CannotRun(
            f"no `entra` of yours answers at {url}: start one, give its --port, and --https where it has that"
        ) from error
