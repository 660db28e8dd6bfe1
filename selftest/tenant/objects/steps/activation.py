"""What makes the sign-ins of one application depend on the endpoint (phase D): done only on request.

The order is one of safety. The policy is created first and unassigned, because its description keeps what the
application allowed before, so that removal can restore it. The listener comes last: from then on Entra calls, and
without an answer nobody gets a token for the application. Each application has a separate policy and listener, so that
removing one changes no other.

Source: Microsoft Graph v1.0 ``resources/claimsmappingpolicy.md``, ``serviceprincipal-post-claimsmappingpolicies.md``;
entra-docs ``reference-claims-customization.md`` (one policy each), ``jwt-claims-customization.md``
(``acceptMappedClaims`` is for single-tenant applications).
"""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from selftest.judge.mapping import PROVIDER_SOURCE, TARGET_MEMBERS
from selftest.tenant.graph.client import GraphClient, literal
from selftest.tenant.graph.objects import POLICIES, GraphObject
from selftest.tenant.objects.errors import conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.difference import differences
from selftest.tenant.objects.steps.extension import one_of_name
from selftest.tenant.objects.steps.found_objects import FoundClient, FoundObjects
from selftest.tenant.objects.steps.listener import ListenerStep
from selftest.tenant.objects.steps.registration import find_principal
from selftest.tenant.objects.steps.step import ClientStep, PlannedChange, SetupStep, Write, id_of, named, planned_change

#: What the application has to allow.
MAPPED: Final[Mapping[str, Any]] = {"acceptMappedClaims": True, "requestedAccessTokenVersion": 2}

_APPLICATION: Final = ("id", "appId", "displayName", "signInAudience", "api")
_BEFORE: Final = "Before this policy the application had "
_BEFORE_FORM: Final = re.compile(rf"{_BEFORE}(\{{.*\}})")


class PolicyStep(ClientStep):
    """The claims mapping policy: which claims of the reply are added to the token, and under which names."""

    what: ClassVar = "mapping policy"
    unique: ClassVar = False

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read the application, and find the policy by its name."""
        target = found.client(self.client_id)
        target.application = await client.find(f"/applications(appId='{self.client_id}')", select=_APPLICATION)
        target.principal = await find_principal(client, self.client_id, "preferredSingleSignOnMode")
        name = intent.name_for(self.client_id)
        same = await client.list_all(POLICIES, query={"$filter": f"displayName eq {literal(name)}"})
        target.policy = one_of_name(same, name, "claims mapping policy")

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Create it; an existing one is changed only to claims that are named."""
        target = found.client(self.client_id)
        _check_client(self.client_id, target)
        name, existing = intent.name_for(self.client_id), target.policy
        if existing is not None and intent.claims is None:
            return PlannedChange(name=named(existing, name))
        wanted = _definition(intent, found, target)
        lines = tuple(differences({"definition": wanted}, existing and {"definition": _parsed(existing)}))
        if not lines:
            return PlannedChange(name=named(existing, name))
        body: GraphObject = {"definition": [json.dumps(wanted, separators=(",", ":"))]}
        if existing is not None:
            write = Write(verb="update", path=f"{POLICIES}/{existing['id']}", body=body)
        else:
            body |= {"displayName": name, "isOrganizationDefault": False, "description": _allowed_now(target)}
            write = Write(verb="create", path=POLICIES, body=body)
        return PlannedChange(name=named(existing, name), lines=lines, write=write)


class MappedClaimsStep(ClientStep):
    """The application's consent to mapped claims (AADSTS50146 without it)."""

    what: ClassVar = "mapped claims"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read the application."""
        del intent
        path = f"/applications(appId='{self.client_id}')"
        found.client(self.client_id).application = await client.find(path, select=_APPLICATION)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Turn it on."""
        del intent
        application = found.client(self.client_id).application
        name = f"{(application or {}).get('displayName')} {self.client_id}"
        return planned_change(name, {"api": dict(MAPPED)}, application, path="/applications")


class DisplacedPolicyStep(ClientStep):
    """Another claims mapping policy of the application, which has to be unassigned: there can be only one."""

    what: ClassVar = "other policy"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read what is assigned."""
        del intent
        target = found.client(self.client_id)
        target.assigned = []
        if target.principal is not None:
            path = f"/servicePrincipals/{target.principal['id']}/claimsMappingPolicies"
            target.assigned = await client.list_all(path)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Unassign it, if that is allowed; the policy itself stays in the tenant."""
        target = found.client(self.client_id)
        others = [each for each in target.assigned if each["id"] != id_of(target.policy)]
        if not others:
            return PlannedChange(name="none")
        name = f"{others[0].get('displayName')!r} {others[0]['id']}"
        if not intent.replace_policy:
            raise conflict("policy-of-others", client=self.client_id, policy=name)
        path = f"/servicePrincipals/{id_of(target.principal)}/claimsMappingPolicies/{others[0]['id']}/$ref"
        lines = (f"assigned: {name} -> not assigned; it is not deleted, so it can be assigned again",)
        return PlannedChange(name=name, lines=lines, write=Write(verb="unassign", path=path))


class AssignmentStep(ClientStep):
    """The assignment of the policy to the application's service principal."""

    what: ClassVar = "assignment"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read what is assigned."""
        await DisplacedPolicyStep(self.client_id).read(client, intent, found)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Assign it."""
        target = found.client(self.client_id)
        name = f"{intent.name_for(self.client_id)} to {id_of(target.principal)}"
        if any(each["id"] == id_of(target.policy) for each in target.assigned):
            return PlannedChange(name=name)
        path = f"/servicePrincipals/{id_of(target.principal)}/claimsMappingPolicies/$ref"
        write = Write(verb="assign", path=path, target=f"{POLICIES}/{id_of(target.policy)}")
        return PlannedChange(name=name, write=write)


def phase_d(client_id: str) -> tuple[SetupStep, ...]:
    """Return the steps for one application, in their order."""
    kinds = (PolicyStep, MappedClaimsStep, DisplacedPolicyStep, AssignmentStep, ListenerStep)
    return tuple(kind(client_id) for kind in kinds)


def allowed_before(policy: GraphObject) -> dict[str, Any] | None:
    """Return what the application allowed before, from our policy's description; None where it does not say."""
    match = _BEFORE_FORM.search(str(policy.get("description")))
    try:
        before = json.loads(match[1]) if match else None
    except ValueError:
        return None
    fits = isinstance(before, dict) and before.keys() == MAPPED.keys()
    return before if fits else None


def _allowed_now(target: FoundClient) -> str:
    api = (target.application or {}).get("api") or {}
    return _BEFORE + json.dumps({member: api.get(member) for member in MAPPED})


def _definition(intent: Intent, found: FoundObjects, target: FoundClient) -> GraphObject:
    registered = (found.extension or {}).get("claimsForTokenConfiguration") or ()
    if intent.claims is not None or not registered:
        pairs = [(claim.name, claim.token_name) for claim in intent.wanted_claims]
    else:
        pairs = [(str(each["claimIdInApiResponse"]),) * 2 for each in registered]
    is_saml = str((target.principal or {}).get("preferredSingleSignOnMode")).lower() == "saml"
    member = TARGET_MEMBERS["saml" if is_saml else "jwt"]
    schema = [{"Source": PROVIDER_SOURCE, "ID": name, member: token_name} for name, token_name in pairs]
    return {"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": schema}}


def _parsed(policy: GraphObject) -> Any:
    try:
        return json.loads(policy["definition"][0])
    except (LookupError, TypeError, ValueError):
        return None


def _check_client(client_id: str, target: FoundClient) -> None:
    if target.application is None:
        raise conflict("client-unknown", client=client_id)
    audience = target.application.get("signInAudience")
    if audience != "AzureADMyOrg":
        raise conflict("client-multi-tenant", client=client_id, audience=audience)
    if target.principal is None:
        raise conflict("client-without-principal", client=client_id)
