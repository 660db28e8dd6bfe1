"""Each endpoint does what its row of the table says, asked directly: the verdicts are judged against this."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.play.caller import Caller, caller_session
from selftest.play.sign_in import sign_in
from tests.foreign.programs import Program, versions
from tests.foreign.running import Endpoint, running

_TENANT: Final = DEFAULT_TENANT
#: What Entra never sends to this endpoint, by name.
_STRANGE: Final = ("nothing", "audience", "caller", "tenant", "expired")
_LETS_IN: Final[Mapping[str, set[str]]] = {
    "no-validation": set(_STRANGE),
    "signature-only": {"audience", "caller", "tenant", "expired"},
    "no-caller-check": {"caller"},
    "any-tenant": {"tenant"},
    "expired-accepted": {"expired"},
}
_CODES: Final = {"slow": 1003005, "wrong-reply": 1003003}


def _tokens(entra: EntraServer) -> dict[str, str]:
    mint = entra.mint
    return {
        "audience": mint.callout_token(aud=_TENANT.other_resource.app_id),
        "caller": mint.callout_token(azp=_TENANT.client.app_id),
        "tenant": mint.callout_token(iss=entra.other_issuer, tid=_TENANT.other_tenant_id),
        "expired": mint.callout_token(iat=1_700_000_000, nbf=1_700_000_000, exp=1_700_003_600),
    }


@pytest.fixture
async def entra() -> AsyncIterator[EntraServer]:
    """Return the emulated Entra, listening."""
    async with EntraServer() as server:
        yield server


@pytest.mark.parametrize(("program", "version"), versions(), ids=lambda value: getattr(value, "id", value))
async def test_endpoint_does_what_its_version_says(
    program: Program, version: str, entra: EntraServer, tmp_path: Path
) -> None:
    """The good call is answered, and only those others that the mistake lets in."""
    if program.why_not:
        pytest.skip(program.why_not)
    async with running(program, version, authority=entra.authority_url, folder=tmp_path) as endpoint:
        await _judge(endpoint, entra, version)
        written = endpoint.log.read_text()
    assert ("Bearer ey" in written) == (version == "token-in-log"), written[-2000:]


async def _judge(endpoint: Endpoint, entra: EntraServer, version: str) -> None:
    async with caller_session() as session:
        caller = Caller(session)
        played = await sign_in(caller, endpoint.url, entra.mint, entra.tenant, VARIETIES[0])
        assert played.verdict.code == _CODES.get(version), played
        if version in _CODES:
            return
        event = json.dumps(VARIETIES[0].build(entra.tenant, "3c1a8e2e-6c75-4a0c-9d3e-0d6a2f6b7c11"))
        let_in = set()
        for name, token in {"nothing": "", **_tokens(entra)}.items():
            headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
            async with session.post(endpoint.url, data=event, headers=headers) as response:
                let_in |= {name} if response.status == 200 else set()
                assert response.status in {200, 401, 403}
        assert let_in == _LETS_IN.get(version, set())
        async with session.post(endpoint.url, data="{", headers={"Content-Type": "application/json"}) as response:
            unauthenticated = version in {"no-validation", "body-before-token"}
            assert (response.status in {400, 422}) == unauthenticated, response.status
