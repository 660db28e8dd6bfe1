"""Two runs, one after the other, against libraries with their default pauses between two requests for keys."""

from pathlib import Path
from typing import Final

import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from tests.foreign.programs import PROGRAMS, Program
from tests.foreign.running import Endpoint, free_port, running
from tests.selftest.command_process import command_process

#: Their libraries look for a new key once in 30 s (jose) and once in five minutes (IdentityModel).
_PAUSING: Final = {"node_jose", "aspnet"}
TWICE: Final = [(program, version) for program in PROGRAMS for version in program.correct if program.id in _PAUSING]


async def _run(endpoint: Endpoint, port: int, *argv: str) -> str:
    """Run a command against the endpoint, and return its output; it has to end with exit code 0."""
    async with command_process(*argv, "--url", endpoint.url, "--authority-port", str(port)) as process:
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode() + out.decode()
    return out.decode() + err.decode()


@pytest.mark.nightly
@pytest.mark.parametrize(("program", "version"), TWICE, ids=lambda value: getattr(value, "id", value))
async def test_the_second_run_is_like_the_first(program: Program, version: str, tmp_path: Path) -> None:
    """The tenant keeps its keys: the endpoint accepts them in the second process, too, and again after a rollover."""
    if not program.present:
        pytest.skip(program.needs)
    port = free_port()
    authority = f"http://127.0.0.1:{port}/{DEFAULT_TENANT.tenant_id}"
    async with running(program, version, authority=authority, folder=tmp_path) as endpoint:
        for _ in range(2):
            assert "token minted with" in await _run(endpoint, port, "signin")
        rolled = await _run(endpoint, port, "check", "T170", "T172")
        assert "ok    T170" in rolled
        assert "ok    T172" in rolled
        assert "token minted with" in await _run(endpoint, port, "signin")
