"""Play one complete sign-in: the event, the call, the verdict on the reply, and the token that the app would get."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selftest.base.sample_tenant import Tenant
from selftest.contract import MAX_RETRIES, MAX_TIMEOUT_MS
from selftest.entra.app_token import NAME_ID, app_token_claims, is_saml
from selftest.entra.payloads import Variety
from selftest.entra.token_mint import TokenMint
from selftest.judge.app_line import AppLine
from selftest.judge.mapping import MappingPolicy
from selftest.judge.restricted_claims import TokenFormat
from selftest.judge.verdict import Verdict
from selftest.play.app_log import LogSource, call_lines
from selftest.play.call_verdict import judge_call
from selftest.play.caller import Call, Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The record of one sign-in.

    Attributes:
        variety: The kind of user and app.
        event: The request body as JSON.
        token: The bearer token of the callout. Never show it whole.
        call: The attempts.
        verdict: Entra's decision on the last attempt.
        custom_claims: What the endpoint's claims add to the app's token; empty if no token is minted.
        needs_renaming: Names of returned claims that no policy may emit under their own name. Empty if a policy was
            given: then the verdict's warnings name the claims that it does not map.
        policy_assumed: Whether each claim was taken to be mapped under its own name, because no policy was given.
        token_claims: All claims of the app's token; None if no token is minted.
        app_lines: What the app's log says, if it can be read and the first attempt failed.
    """

    variety: Variety
    event: Mapping[str, Any]
    token: str = field(repr=False)
    call: Call
    verdict: Verdict
    custom_claims: Mapping[str, object]
    needs_renaming: tuple[str, ...]
    policy_assumed: bool
    token_claims: dict[str, object] | None
    app_lines: tuple[AppLine, ...] = ()


async def sign_in(
    caller: Caller,
    url: str,
    mint: TokenMint,
    tenant: Tenant,
    variety: Variety,
    *,
    timeout_ms: int = MAX_TIMEOUT_MS,
    max_retries: int = MAX_RETRIES,
    mapping: MappingPolicy | None = None,
    registered: frozenset[str] | None = None,
    correlation_id: str | None = None,
    callout_token: str | None = None,
    log: LogSource | None = None,
) -> SignIn:
    """Sign one emulated user in.

    Without a ``mapping`` each returned claim is assumed to be mapped to its own name, so that a first look needs no
    policy. A claim with a restricted name is then not in the token: only a policy can rename it.

    Args:
        caller: Makes the call.
        url: The URL of the endpoint.
        mint: Signs the callout's token, before the call is due.
        tenant: The tenant of the event.
        variety: The kind of sign-in.
        log: The app's log, if it can be read.
        timeout_ms: 200 to 2000, for each attempt.
        max_retries: 0 or 1.
        mapping: The claims mapping policy of the app that is the token's audience.
        registered: The names in the extension's claimsForTokenConfiguration, for warnings.
        correlation_id: The correlation id of the sign-in; None for a random one.
        callout_token: The bearer token of the call; None: ``mint`` signs one.

    Raises:
        ValueError: See `Caller.call`.
    """
    correlation_id = correlation_id or str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
    event = variety.build(tenant, correlation_id)
    before = 0 if log is None else len(log())
    token = callout_token or mint.callout_token()
    call = await caller.call(url, token=token, event=event, timeout_ms=timeout_ms, max_retries=max_retries)
    token_format: TokenFormat = "saml" if is_saml(event) else "jwt"
    verdict = judge_call(call, registered=registered, mapping=mapping, token=token_format)
    is_odd = not verdict.minted or len(call.attempts) > 1
    claims = verdict.claims or {}
    policy = MappingPolicy.under_own_names(claims) if mapping is None else mapping
    custom: dict[str, object] = {}
    token_claims: dict[str, object] | None = None
    if verdict.minted:
        custom = policy.apply(claims, token=token_format)
        basic = app_token_claims(mint, event, basic_claim_set=policy.include_basic_claim_set)
        token_claims = {**basic, **custom}
        if NAME_ID in basic:  # the subject of an assertion, which no returned claim replaces
            token_claims[NAME_ID] = basic[NAME_ID]
    return SignIn(
        variety=variety,
        event=event,
        token=token,
        call=call,
        verdict=verdict,
        custom_claims=custom,
        needs_renaming=() if mapping is not None else _needs_renaming(policy, token_format),
        policy_assumed=mapping is None,
        token_claims=token_claims,
        app_lines=await call_lines(log, call, correlation_id, before=before) if is_odd and log is not None else (),
    )


def _needs_renaming(own_names: MappingPolicy, token_format: TokenFormat) -> tuple[str, ...]:
    faulty = (entry for entry in own_names.entries if entry.target_fault(token_format) is not None)
    return tuple(entry.id for entry in faulty if entry.id is not None)
