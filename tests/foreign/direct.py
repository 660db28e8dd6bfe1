"""Asks an endpoint directly what the harness judges it by: a good call, and calls that Entra never makes."""

import json
from dataclasses import dataclass
from typing import Final

from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.play.caller import Caller, caller_session
from selftest.play.sign_in import sign_in

_JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answers:
    """What an endpoint answered.

    Attributes:
        code: What Entra would log for the good call; None when it would issue a token.
        claims: The names of the claims that the good call was answered with.
        let_in: The names of the tokens that were answered with 200 although Entra does not call with them.
        statuses: The statuses of all of them.
        broken_body: The status for a body that is not JSON, without a token.
    """

    code: int | None
    claims: frozenset[str]
    let_in: frozenset[str]
    statuses: frozenset[int]
    broken_body: int


async def ask(url: str, entra: EntraServer) -> Answers:
    """Call an endpoint that trusts this tenant."""
    event = json.dumps(VARIETIES[0].build(entra.tenant, "3c1a8e2e-6c75-4a0c-9d3e-0d6a2f6b7c11"))
    async with caller_session() as session:
        played = await sign_in(Caller(session), url, entra.mint, entra.tenant, VARIETIES[0])
        statuses = {}
        for name, token in _strange_tokens(entra).items():
            headers = _JSON if token is None else {**_JSON, "Authorization": f"Bearer {token}"}
            async with session.post(url, data=event, headers=headers) as response:
                statuses[name] = response.status
        async with session.post(url, data="{", headers=_JSON) as response:
            broken_body = response.status
    let_in = frozenset(name for name, status in statuses.items() if status == 200)
    claims = frozenset(played.verdict.claims or ())
    return Answers(played.verdict.code, claims, let_in, frozenset(statuses.values()), broken_body)


def _strange_tokens(entra: EntraServer) -> dict[str, str | None]:
    mint, tenant = entra.mint, entra.tenant
    return {
        "none": None,
        "audience": mint.callout_token(aud=tenant.other_resource.app_id),
        "caller": mint.callout_token(azp=tenant.client.app_id),
        "tenant": mint.callout_token(iss=entra.other_issuer, tid=tenant.other_tenant_id),
        "expired": mint.callout_token(iat=1_700_000_000, nbf=1_700_000_000, exp=1_700_003_600),
    }
