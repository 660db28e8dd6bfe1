"""Token issuance: which extensions are called, and which of the returned claims reach which token.

The audience of a token decides which listener fires and whose mapping policy applies: the client app for an id token,
the API for an access token. A sign-in that gets both calls both extensions at the same time; an app that is both is
called for once. One failure fails the sign-in: no token is minted at all.

The time of the calls is documented only by its consequence, that a failure sends the browser back to the app with an
error. They are therefore made at the authorize endpoint, before the redirect, and the returned claims are kept for the
code's redemption. A refresh has no browser: it calls again, and fails at the token endpoint.

Undocumented and decided here:

- The error code is ``server_error``, which reports show with the same text for another non-retryable error of Entra
  (AADSTS90036); at the token endpoint the status is 400, as for every other OAuth error.
- A missing ``acceptMappedClaims`` and a user who is not assigned fail before the endpoint is called.
- An app-only token (client credentials) calls no extension, nor does Microsoft Graph as a resource.

Source: entra-docs ``custom-extension-tokenissuancestart-configuration.md`` (step 3: audience), ``custom-extension-
troubleshoot.md`` (what the user sees), ``jwt-claims-customization.md`` (``acceptMappedClaims``).
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from selftest.entra.oauth_error import OAuthError
from selftest.entra.payloads import callout_event
from selftest.entra.token_mint import TokenMint
from selftest.judge.codes import CODES
from selftest.judge.mapping import MappingPolicy
from selftest.judge.verdict import Verdict
from selftest.play.call_verdict import judge_call
from selftest.play.caller import Caller
from selftest.signin.oidc.scopes import Scopes
from selftest.signin.refusals import refused
from selftest.signin.sign_in_log import FAILED_SIGN_IN, FAILURE_REASON, Callout, EmulatedSignInLog, SignInRecord
from selftest.signin.tenant.directory import GRAPH, App, Directory, EmulatedListener, Person
from selftest.signin.user_tokens import audience

#: The codes that are logged after all retries.
_RETRIED: Final = frozenset({1003005, 1003027})


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """The tokens to issue.

    Attributes:
        scopes: The requested scopes; None for a SAML assertion.
        interactive: Whether a user is present; not for a refresh.
    """

    person: Person
    client: App
    scopes: Scopes | None
    id_token: bool
    access_token: bool
    correlation_id: str
    interactive: bool = True


@dataclass(slots=True)
class Issuer:
    """Calls the extensions of one tenant, judges and maps their replies, and logs the sign-ins.

    Attributes:
        mint: Returns the mint of the callout's token; called for each callout, because the port is not known earlier.
    """

    directory: Directory
    mint: Callable[[], TokenMint]
    caller: Caller
    log: EmulatedSignInLog
    clock: Callable[[], float]

    async def issue(self, issuance: Issuance) -> SignInRecord:
        """Call the extensions for these tokens, log the sign-in, and return its record.

        The record contains either the ``custom_claims`` of the tokens or the ``refusal`` of the sign-in.
        """
        resource = issuance.scopes.resource if issuance.scopes and issuance.access_token else issuance.client
        record = SignInRecord(
            id=str(uuid.uuid4()),
            correlation_id=issuance.correlation_id,
            at_s=self.clock(),
            person=issuance.person,
            client=issuance.client,
            resource=resource,
            interactive=issuance.interactive,
        )
        try:
            await self._issue(issuance, record)
        except OAuthError as refusal:
            record.refusal = refusal
        self.log.add(record)
        return record

    async def _issue(self, issuance: Issuance, record: SignInRecord) -> None:
        _check_assigned(issuance.client, issuance.person)
        audiences = _audiences(issuance)
        for app in audiences.values():
            _check_mapping(app, issuance.scopes)
        apps = {app.key: app for app in audiences.values()}.values()
        calls = [self._call(issuance, app, listener) for app in apps if (listener := self.directory.listener_for(app))]
        record.callouts = tuple(await asyncio.gather(*calls))
        if any(not callout.verdict.minted for callout in record.callouts):
            raise OAuthError("server_error", FAILURE_REASON, aadsts=FAILED_SIGN_IN)
        returned = {callout.audience.key: callout.verdict.claims or {} for callout in record.callouts}
        for kind, app in audiences.items():
            if app.mapping is not None:
                claims = returned.get(app.key, {})
                record.custom_claims[kind] = app.mapping.apply(claims, token="saml" if kind == "saml" else "jwt")

    async def _call(self, issuance: Issuance, app: App, listener: EmulatedListener) -> Callout:
        event = callout_event(
            tenant_id=self.directory.tenant.tenant_id,
            listener_id=listener.id,
            extension_id=listener.extension.id,
            correlation_id=issuance.correlation_id,
            client=issuance.client.principal,
            resource=app.principal,
            user=issuance.person.members,
            ip=issuance.person.ip,
            protocol="SAML" if issuance.client.protocol == "saml" else "OAUTH2.0",
        )
        at_s = self.clock()
        fault = issuance.person.fault or listener.extension.fault
        if fault is not None:
            return _preset_failure(fault, listener, app, event, at_s)
        api = listener.extension.audience
        call = await self.caller.call(
            listener.extension.target_url,
            token=self.mint().callout_token(api.access_version, aud=api.client_id),
            event=event,
            timeout_ms=listener.timeout_ms,
            max_retries=listener.max_retries,
        )
        return Callout(
            listener=listener,
            audience=app,
            event=event,
            at_s=at_s,
            call=call,
            attempts=len(call.attempts),
            verdict=judge_call(
                call,
                registered=listener.extension.claims,
                mapping=app.mapping or MappingPolicy(entries=()),
                token="saml" if issuance.client.protocol == "saml" else "jwt",
            ),
        )


def _audiences(issuance: Issuance) -> dict[str, App]:
    """Return the audience of each token by the kind of token."""
    if issuance.client.protocol == "saml":
        return {"saml": issuance.client}
    wanted = {"id_token": issuance.client} if issuance.id_token else {}
    if issuance.access_token and issuance.scopes is not None and issuance.scopes.resource is not GRAPH:
        wanted["access_token"] = issuance.scopes.resource
    return wanted


def _preset_failure(code: int, listener: EmulatedListener, app: App, event: Mapping[str, Any], at_s: float) -> Callout:
    """Return the callout that the tenant file makes fail, with as many attempts as Entra would have made."""
    entry = CODES[code]
    attempts = 1 if entry.phase == "during the call" else 0
    if code in _RETRIED:
        attempts += listener.max_retries
    verdict = Verdict(code=code, name=entry.name, minted=False, reason=f"the tenant file sets fault = {code}")
    return Callout(
        listener=listener, audience=app, event=event, at_s=at_s, call=None, attempts=attempts, verdict=verdict
    )


def _check_assigned(client: App, person: Person) -> None:
    if client.users is not None and person.key not in client.users:
        raise refused("not-assigned", app=client)


def _check_mapping(app: App, scopes: Scopes | None) -> None:
    """Check that the app accepts mapped claims and that its tokens' audience is its own."""
    if app.mapping is None or app.protocol == "saml":
        return
    if not app.accept_mapped_claims:
        raise refused("mapped-claims-not-accepted", app=app)
    if scopes is not None and app is scopes.resource and app.access_version == "1.0":
        _check_audience(app, audience(scopes))


def _check_audience(app: App, name: str) -> None:
    host = name.removeprefix("https://").removeprefix("api://").partition("/")[0]
    if name != app.client_id and (host == app.client_id or "." not in host):
        raise refused("mapped-claims-audience", audience=name)
