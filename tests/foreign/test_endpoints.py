"""Each endpoint does what the name of its version says: the harness is judged by this."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from selftest.entra.certificates import LocalAuthority
from selftest.entra.server import EntraServer
from tests.foreign.direct import ask
from tests.foreign.programs import Program, versions
from tests.foreign.running import running

_LETS_IN: Final[Mapping[str, set[str]]] = {
    "no-validation": {"none", "audience", "caller", "tenant", "expired"},
    "signature-only": {"audience", "caller", "tenant", "expired"},
    "no-caller-check": {"caller"},
    "any-tenant": {"tenant"},
    "expired-accepted": {"expired"},
}
_CODES: Final = {"slow": 1003005, "wrong-reply": 1003003}


@pytest.mark.parametrize(("program", "version"), versions(), ids=lambda value: getattr(value, "id", value))
async def test_endpoint_does_what_its_version_says(program: Program, version: str, tmp_path: Path) -> None:
    """The good call is answered, and only those others that the mistake lets in."""
    if (reason := program.why_not(version)) is not None:
        pytest.skip(reason)
    tls = LocalAuthority.open().server_context() if program.https else None
    async with (
        EntraServer(tls=tls) as entra,
        running(program, version, authority=entra.authority_url, folder=tmp_path) as endpoint,
    ):
        answers = await ask(endpoint.url, entra)
        written = endpoint.log.read_text()
    assert answers.code == _CODES.get(version)
    assert answers.let_in == _LETS_IN.get(version, set())
    assert answers.statuses <= {200, 401, 403}
    assert (answers.broken_body in {400, 422}) == (version in {"no-validation", "body-before-token"})
    assert ("Bearer ey" in written) == (version == "token-in-log"), written[-2000:]
