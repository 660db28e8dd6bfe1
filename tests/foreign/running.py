"""Starts an endpoint as its users do: a process of its own, set by its environment, with its output in a file."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.certificates import LocalAuthority
from tests.foreign.programs import Program

PATH: Final = "/api/onTokenIssuanceStart"
#: Where a proxy would stand between an endpoint and the emulated Entra.
_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
_START_S: Final = 60
_STOP_S: Final = 10


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint that listens: where it is called, and the file with what it writes."""

    url: str
    log: Path

    @property
    def port(self) -> int:
        """Return its port on 127.0.0.1."""
        return int(self.url.split(":")[2].split("/")[0])


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def authority_at(port: int, program: Program) -> str:
    """Return the authority of the emulated tenant, if it listens on this port with the scheme that is needed."""
    return f"{'https' if program.https else 'http'}://127.0.0.1:{port}/{DEFAULT_TENANT.tenant_id}"


@asynccontextmanager
async def running(program: Program, version: str, *, authority: str | None, folder: Path) -> AsyncIterator[Endpoint]:
    """Start an endpoint that trusts this authority, and end it.

    Args:
        program: The endpoint.
        version: One of its versions.
        authority: The tenant's authority; None leaves all settings of the tenant out.
        folder: Where its output goes.

    Raises:
        AssertionError: It ended, or did not listen in time; the message has what it wrote.
    """
    port, log = free_port(), folder / f"{program.id}-{version}.log"
    settings = {"PORT": str(port), **({} if authority is None else _settings(authority))}
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    trust = {"SSL_CERT_FILE": str(LocalAuthority.open().path)} if program.https else {}
    environment = {**kept, **trust, **settings, **program.environment(version, settings)}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *program.command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        await _listening(process, port, log)
        yield Endpoint(f"http://127.0.0.1:{port}{PATH}", log)
    finally:
        await _end(process)


def _settings(authority: str) -> dict[str, str]:
    return {
        "AUTHORITY": authority,
        "TENANT_ID": DEFAULT_TENANT.tenant_id,
        "AUDIENCE": DEFAULT_TENANT.audience_app_id,
        "APP_ID_URI": DEFAULT_TENANT.application_id_uri,
        "EXTENSION_ID": DEFAULT_TENANT.extension_id,
    }


async def _listening(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with asyncio.timeout(_START_S):
        while True:
            assert process.returncode is None, _written(log)
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


def _written(log: Path) -> str:
    return f"it ended, and wrote: {log.read_text()}"


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
