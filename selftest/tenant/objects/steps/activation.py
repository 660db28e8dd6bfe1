"""What makes the sign-ins of one application depend on the endpoint (phase D): done only when it is asked for.

The order is one of safety. The policy is made first and unassigned, because its description keeps what the application
allowed before, so that taking everything away can put it back. The listener comes last: from then on Entra calls, and
without an answer nobody gets a token for the application. Each application has a policy and a listener of its own, so
that taking one back changes no other.

Source: Microsoft Graph v1.0 ``resources/claimsmappingpolicy.md``, ``serviceprincipal-post-claimsmappingpolicies.md``;
entra-docs ``reference-claims-customization.md`` (one policy each), ``jwt-claims-customization.md``
(``acceptMappedClaims`` is for single-tenant applications).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from selftest.tenant.graph.client import GraphClient, literal
from selftest.tenant.objects.errors import Conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.difference import differences
from selftest.tenant.objects.steps.extension import one_of_name
from selftest.tenant.objects.steps.found_objects import ClientFound, Found, GraphObject
from selftest.tenant.objects.steps.listener import Listener
from selftest.tenant.objects.steps.step import Comparison, Step, Write, id_of, named

POLICIES: Final = "/policies/claimsMappingPolicies"
#: What the application has to allow.
MAPPED: Final[Mapping[str, Any]] = {"acceptMappedClaims": True, "requestedAccessTokenVersion": 2}

_APPLICATION: Final = ("id", "appId", "displayName", "signInAudience", "api")
_PRINCIPAL: Final = ("id", "appId", "displayName", "accountEnabled")
_BEFORE: Final = "Before this policy the application had "
_BEFORE_FORM: Final = re.compile(rf"{_BEFORE}(\{{.*\}})")


@dataclass(frozen=True, slots=True)
class Policy:
    """The claims mapping policy: which claims of the reply reach the token, and under which names."""

    client_id: str
    what: ClassVar[str] = "mapping policy"
    phase: ClassVar[Literal["D"]] = "D"
    unique: ClassVar[bool] = False

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Read the application, and find the policy by its name."""
        it = found.client(self.client_id)
        it.application = await client.find(f"/applications(appId='{self.client_id}')", select=_APPLICATION)
        it.principal = await client.find(f"/servicePrincipals(appId='{self.client_id}')", select=_PRINCIPAL)
        name = intent.name_for(self.client_id)
        same = await client.list_all(POLICIES, query={"$filter": f"displayName eq {literal(name)}"})
        it.policy = one_of_name(same, name, "claims mapping policy")

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Make it; one that is there is changed only to claims that were named."""
        it = found.client(self.client_id)
        _check_client(self.client_id, it)
        name = intent.name_for(self.client_id)
        if it.policy is not None and intent.claims is None:
            return Comparison(name=named(it.policy, name))
        wanted = _definition(intent, found)
        lines = tuple(differences({"definition": wanted}, it.policy and {"definition": _parsed(it.policy)}))
        if not lines:
            return Comparison(name=named(it.policy, name))
        body: GraphObject = {"definition": [json.dumps(wanted, separators=(",", ":"))]}
        if it.policy is not None:
            write = Write(verb="update", path=f"{POLICIES}/{it.policy['id']}", body=body)
            return Comparison(name=named(it.policy, name), lines=lines, write=write)
        made = body | {"displayName": name, "isOrganizationDefault": False, "description": _remember(it)}
        return Comparison(name=name, lines=lines, write=Write(verb="create", path=POLICIES, body=made))


@dataclass(frozen=True, slots=True)
class MappedClaims:
    """The application's own word that it takes mapped claims (AADSTS50146 without it)."""

    client_id: str
    what: ClassVar[str] = "mapped claims"
    phase: ClassVar[Literal["D"]] = "D"
    unique: ClassVar[bool] = True

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Read the application."""
        del intent
        it = found.client(self.client_id)
        it.application = await client.find(f"/applications(appId='{self.client_id}')", select=_APPLICATION)

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Turn it on."""
        del intent
        application = found.client(self.client_id).application
        lines = tuple(differences({"api": MAPPED}, application))
        name = f"{(application or {}).get('displayName')} {self.client_id}"
        if not lines:
            return Comparison(name=name)
        write = Write(verb="update", path=f"/applications/{id_of(application)}", body={"api": dict(MAPPED)})
        return Comparison(name=name, lines=lines, write=write)


@dataclass(frozen=True, slots=True)
class Displaced:
    """Another claims mapping policy on the application, which has to go, as there can be only one."""

    client_id: str
    what: ClassVar[str] = "other policy"
    phase: ClassVar[Literal["D"]] = "D"
    unique: ClassVar[bool] = True

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Read what is assigned."""
        del intent
        it = found.client(self.client_id)
        it.assigned = []
        if it.principal is not None:
            it.assigned = await client.list_all(f"/servicePrincipals/{it.principal['id']}/claimsMappingPolicies")

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Take it off, when that was allowed; the policy itself stays in the tenant."""
        it = found.client(self.client_id)
        others = [each for each in it.assigned if each["id"] != id_of(it.policy)]
        if not others:
            return Comparison(name="none")
        name = f"{others[0].get('displayName')!r} {others[0]['id']}"
        if not intent.replace_policy:
            raise Conflict(
                f"application {self.client_id} has the claims mapping policy {name}, and can have only one: merge its "
                "claims into yours, or say --replace-policy to take it off"
            )
        path = f"/servicePrincipals/{id_of(it.principal)}/claimsMappingPolicies/{others[0]['id']}/$ref"
        lines = (f"assigned: {name} -> not assigned; it is not deleted, so it can be assigned again",)
        return Comparison(name=name, lines=lines, write=Write(verb="unassign", path=path))


@dataclass(frozen=True, slots=True)
class Assignment:
    """The policy on the application's service principal."""

    client_id: str
    what: ClassVar[str] = "assignment"
    phase: ClassVar[Literal["D"]] = "D"
    unique: ClassVar[bool] = True

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Read what is assigned."""
        await Displaced(self.client_id).read(client, intent, found)

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Assign it."""
        it = found.client(self.client_id)
        name = f"{intent.name_for(self.client_id)} to {id_of(it.principal)}"
        if any(each["id"] == id_of(it.policy) for each in it.assigned):
            return Comparison(name=name)
        path = f"/servicePrincipals/{id_of(it.principal)}/claimsMappingPolicies/$ref"
        return Comparison(name=name, write=Write(verb="assign", path=path, target=f"{POLICIES}/{id_of(it.policy)}"))


def phase_d(client_id: str) -> tuple[Step, ...]:
    """Give the steps for one application, in their order."""
    return (
        Policy(client_id),
        MappedClaims(client_id),
        Displaced(client_id),
        Assignment(client_id),
        Listener(client_id),
    )


def allowed_before(policy: GraphObject) -> dict[str, Any] | None:
    """Read out of our policy's description what the application allowed before; None where it does not say."""
    match = _BEFORE_FORM.search(str(policy.get("description")))
    try:
        before = json.loads(match[1]) if match else None
    except ValueError:
        return None
    fits = isinstance(before, dict) and before.keys() == MAPPED.keys()
    return before if fits else None


def _remember(it: ClientFound) -> str:
    api = (it.application or {}).get("api") or {}
    return _BEFORE + json.dumps({member: api.get(member) for member in MAPPED})


def _definition(intent: Intent, found: Found) -> GraphObject:
    registered = (found.extension or {}).get("claimsForTokenConfiguration") or ()
    if intent.claims is not None or not registered:
        pairs = [(claim.name, claim.token_name) for claim in intent.wanted_claims]
    else:
        pairs = [(str(each["claimIdInApiResponse"]),) * 2 for each in registered]
    schema = [{"Source": "CustomClaimsProvider", "ID": name, "JwtClaimType": token} for name, token in pairs]
    return {"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": schema}}


def _parsed(policy: GraphObject) -> Any:
    try:
        return json.loads(policy["definition"][0])
    except (LookupError, TypeError, ValueError):
        return None


def _check_client(client_id: str, it: ClientFound) -> None:
    if it.application is None:
        raise Conflict(
            f"no app registration in this tenant has the client id {client_id}: give the id of one that is registered "
            "here; another tenant's takes mapped claims only with a signing key of its own"
        )
    if it.application.get("signInAudience") != "AzureADMyOrg":
        raise Conflict(
            f"application {client_id} signs in people of other tenants ({it.application.get('signInAudience')}), and "
            "acceptMappedClaims is for single-tenant ones: it needs a signing key of its own, which is not made here"
        )
    if it.principal is None:
        raise Conflict(
            f"application {client_id} has no service principal here: in Entra > App registrations > Overview, "
            "follow 'Managed application in local directory'"
        )
