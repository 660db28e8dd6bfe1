"""Token issuance: who has to be asked, what they say, and what of it reaches which token.

The audience of a token decides whose listener fires and whose mapping policy holds: for an id token the client app, for
an access token the API. A sign-in that gets both asks for both, at the same time; one app that is both is asked once.
One failure fails the sign-in: no token is minted at all.

When the calls are made is documented only by its consequence, that a failure sends the browser back to the app with an
error. So they are made at the authorize endpoint, before the redirect, and what they said is kept for the code's
redemption. A refresh has no browser: it calls again, and fails at the token endpoint.

Undocumented and decided here:

- The error kind is ``server_error``, which reports show beside the same words for another non-retryable error of
  Entra's (AADSTS90036); at the token endpoint the status is 400, as for every other OAuth error.
- A missing ``acceptMappedClaims`` and a user who is not assigned fail before the endpoint is called.
- An app-only token (client credentials) calls nobody, nor does Microsoft Graph as a resource.

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
from selftest.judge.verdict import Verdict, judge
from selftest.play.caller import Caller
from selftest.signin.scopes import Scopes
from selftest.signin.sign_in_log import FAILED_SIGN_IN, FAILURE_REASON, Callout, EventsLog, SignInRecord
from selftest.signin.tenant.directory import GRAPH, App, Directory, Listener, Person
from selftest.signin.user_tokens import audience

#: The codes that follow a retry: Entra called as often as it may.
_RETRIED: Final = frozenset({1003005, 1003027})


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """What is about to be issued.

    Attributes:
        person: To whom.
        client: The app that asked.
        scopes: What for; None for a SAML assertion.
        id_token: Whether there will be an id token.
        access_token: Whether there will be an access token.
        correlation_id: Of the sign-in.
        interactive: False for a refresh.
    """

    person: Person
    client: App
    scopes: Scopes | None
    id_token: bool
    access_token: bool
    correlation_id: str
    interactive: bool = True


class Issuer:
    """Ask the extensions of one tenant, judge and map what they say, and keep the log.

    Args:
        directory: The tenant.
        mint: Gives the mint of the callout's token; asked for each call, because the port is not known before.
        caller: Makes the calls.
        log: Where sign-ins are kept.
        clock: Wall-clock seconds since 1970.
    """

    def __init__(
        self,
        directory: Directory,
        mint: Callable[[], TokenMint],
        caller: Caller,
        log: EventsLog,
        clock: Callable[[], float],
    ) -> None:
        self.directory = directory
        self.log = log
        self._mint = mint
        self._caller = caller
        self._clock = clock

    async def issue(self, issuance: Issuance) -> SignInRecord:
        """Ask whoever has to be asked, and log the sign-in.

        The record's ``custom_claims`` are what the tokens may carry. Its ``refusal`` says why there must be none.
        """
        resource = issuance.scopes.resource if issuance.scopes and issuance.access_token else issuance.client
        record = SignInRecord(
            id=str(uuid.uuid4()),
            correlation_id=issuance.correlation_id,
            at_s=self._clock(),
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
        asked = {app.key: app for app in audiences.values() if self.directory.listener_for(app) is not None}
        record.callouts = tuple(await asyncio.gather(*(self._call(issuance, app) for app in asked.values())))
        if any(not callout.verdict.minted for callout in record.callouts):
            raise OAuthError("server_error", FAILURE_REASON, aadsts=FAILED_SIGN_IN)
        returned = {callout.audience.key: callout.verdict.claims or {} for callout in record.callouts}
        for kind, app in audiences.items():
            if app.mapping is not None:
                claims = returned.get(app.key, {})
                record.custom_claims[kind] = app.mapping.apply(claims, token="saml" if kind == "saml" else "jwt")

    async def _call(self, issuance: Issuance, app: App) -> Callout:
        listener = self.directory.listener_for(app)
        if listener is None:
            raise LookupError(f"no listener fires for {app.key}: only apps that have one are called for")
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
        at_s = self._clock()
        fault = issuance.person.fault or listener.extension.fault
        if fault is not None:
            return _by_decree(fault, listener, app, event, at_s)
        api = listener.extension.audience
        call = await self._caller.call(
            listener.extension.target_url,
            token=self._mint().callout_token(api.access_version, aud=api.client_id),
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
            verdict=judge(call.reply, registered=listener.extension.claims, mapping=app.mapping),
        )


def _audiences(issuance: Issuance) -> dict[str, App]:
    """Name the app that each token is for, by the kind of token."""
    if issuance.client.protocol == "saml":
        return {"saml": issuance.client}
    wanted = {"id_token": issuance.client} if issuance.id_token else {}
    if issuance.access_token and issuance.scopes is not None and issuance.scopes.resource is not GRAPH:
        wanted["access_token"] = issuance.scopes.resource
    return wanted


def _by_decree(code: int, listener: Listener, app: App, event: Mapping[str, Any], at_s: float) -> Callout:
    """Give the call that the tenant file wants to fail: as often tried as Entra would have tried it."""
    entry = CODES[code]
    attempts = 1 if entry.phase == "during the call" else 0
    if code in _RETRIED:
        attempts += listener.max_retries
    verdict = Verdict(code=code, name=entry.name, minted=False, reason="the tenant file says fault = " + str(code))
    return Callout(
        listener=listener, audience=app, event=event, at_s=at_s, call=None, attempts=attempts, verdict=verdict
    )


def _check_assigned(client: App, person: Person) -> None:
    if client.users is not None and person.key not in client.users:
        raise OAuthError(
            "access_denied",
            f"the signed in user is not assigned to a role for the application {client.client_id} ({client.key})",
            aadsts=50105,
        )


def _check_mapping(app: App, scopes: Scopes | None) -> None:
    """Refuse what Entra refuses to map: the app has to accept it, and its tokens' audience has to be its own."""
    if app.mapping is None or app.protocol == "saml":
        return
    if not app.accept_mapped_claims:
        raise OAuthError(
            "invalid_request",
            f"the application {app.client_id} ({app.key}) is required to be configured with an application-specific "
            "signing key, or with acceptMappedClaims: it has a claims mapping policy",
            aadsts=50146,
        )
    if scopes is not None and app is scopes.resource and app.access_version == "1.0":
        _check_audience(app, audience(scopes))


def _check_audience(app: App, name: str) -> None:
    host = name.removeprefix("https://").removeprefix("api://").partition("/")[0]
    if name != app.client_id and (host == app.client_id or "." not in host):
        raise OAuthError(
            "invalid_resource",
            f"acceptMappedClaims is only supported for a token audience that is the application GUID or within the "
            f"tenant's verified domains; {name} is neither",
            aadsts=501461,
        )
