"""One planted fault after the other, and what the doctor must say about it: that, and nothing else."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claims.contract import EVENT_SERVICE_APP_ID
from selftest.judge.restricted_claims import NAME_ID_CLAIM_TYPE
from selftest.tenant.graph.objects import GRAPH_APP_ID
from tests.selftest.tenant.doctor.doctor_input import API, APP, EXTENSION, OTHER, TENANT, DoctorInput

HOST = "claims.sample.example"


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: for the test's id.
        plant: breaks the tenant or the settings.
        found: the ids and codes that must be found.
        hints: the ids that must be hinted at.
    """

    name: str
    plant: Callable[[DoctorInput], object]
    found: dict[str, int | str | None]
    hints: frozenset[str] = frozenset()


def _set(path: str, value: Any) -> Callable[[Any], None]:
    """Give a function that sets a member inside an object, by a path with dots."""

    def plant(target: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for name in way:
            target = target[name]
        target[last] = value

    return plant


def extension(path: str, value: Any) -> Callable[[DoctorInput], None]:
    """Change the extension."""
    return lambda it: _set(path, value)(it.extension)


def listener(path: str, value: Any) -> Callable[[DoctorInput], None]:
    """Change the listener."""
    return lambda it: _set(path, value)(it.listener)


def app(app_id: str, path: str, value: Any) -> Callable[[DoctorInput], None]:
    """Change an app registration."""
    return lambda it: _set(path, value)(it.app(app_id))


def principal(app_id: str, path: str, value: Any) -> Callable[[DoctorInput], None]:
    """Change a service principal."""
    return lambda it: _set(path, value)(it.principal(app_id))


def settings(**values: str) -> Callable[[DoctorInput], None]:
    """Change settings."""
    return lambda it: it.env.update(values)


def schema(place: int, **members: str) -> Callable[[DoctorInput], None]:
    """Change one entry of the policy."""
    return lambda it: it.schema({place: members})


def several(*plants: Callable[[DoctorInput], object]) -> Callable[[DoctorInput], None]:
    """Plant faults together, where one alone is none."""

    def plant(subject: DoctorInput) -> None:
        for each in plants:
            each(subject)

    return plant


def grant(role_id: str) -> Callable[[DoctorInput], None]:
    """Replace the consent by one for another role."""

    def plant(subject: DoctorInput) -> None:
        (consent,) = subject.principal(API)["appRoleAssignments"]
        consent["appRoleId"] = role_id

    return plant


def _copies(kind: str, count: int, **changes: Any) -> Callable[[DoctorInput], None]:
    def plant(subject: DoctorInput) -> None:
        original = subject.tenant[kind][0]
        subject.tenant[kind] += [
            {**original, "id": f"eeeeeeee-eeee-4eee-8eee-{index:012x}", "displayName": f"copy {index}", **changes}
            for index in range(count)
        ]

    return plant


_OTHER_KIND = "#microsoft.graph.onAttributeCollectionStartCustomExtension"
_OTHER_LISTENER = "#microsoft.graph.onAttributeCollectionStartListener"
_RESOURCE = "authenticationConfiguration.resourceId"
_TARGET = "endpointConfiguration.targetUrl"
_CALL = "clientConfiguration"
_VIOLATION = "DisabledDueToViolationOfServicesAgreement"
_INCLUDED = "conditions.applications.includeApplications"


def _second_policy(subject: DoctorInput) -> None:
    second = {**subject.policy, "id": OTHER, "displayName": "Another"}
    subject.tenant["claimsMappingPolicies"].append(second)
    subject.principal(APP)["claimsMappingPolicies"].append(second)


def _policy_elsewhere(subject: DoctorInput) -> None:
    subject.principal(API)["claimsMappingPolicies"] = subject.principal(APP)["claimsMappingPolicies"]
    subject.principal(APP)["claimsMappingPolicies"] = []


def _portal_too(subject: DoctorInput) -> None:
    subject.principal(APP)["claimsPolicy"] = {"id": OTHER, "claims": [{"@odata.type": "#microsoft.graph.customClaim"}]}


def _for_saml_only(subject: DoctorInput) -> None:
    document = json.loads(subject.policy["definition"][0])
    del document["ClaimsMappingPolicy"]["ClaimsSchema"][3]["JwtClaimType"]
    subject.policy["definition"] = [json.dumps(document)]
    subject.schema({3: {"SamlClaimType": "urn:roles"}})


WIRING = [
    Fault("resource id without host", extension(_RESOURCE, f"api://{API}"), {"D22": 1003014}),
    Fault("resource id with https", extension(_RESOURCE, f"https://{HOST}/{API}"), {"D22": 1003014}),
    Fault("resource id with a slash", extension(_RESOURCE, f"api://{HOST}/{API}/"), {"D22": 1003014}),
    Fault("resource id with a port", extension(_RESOURCE, f"api://{HOST}:443/{API}"), {"D22": 1003014}),
    Fault("resource id unknown to the app", app(API, "identifierUris", [f"api://{API}"]), {"D22": 1003014}),
    Fault("resource id unknown to an app without any", app(API, "identifierUris", []), {"D22": 1003014}),
    Fault("target elsewhere", extension(_TARGET, "https://other.example/api/x"), {"D23": 1003015}),
    Fault("resource id elsewhere", extension(_RESOURCE, f"api://other.example/{API}"), {"D23": 1003015}),
    Fault("no service principal", lambda it: it.remove_principal(API), {"D30": 1003016}),
    Fault("no caller", lambda it: it.remove_principal(EVENT_SERVICE_APP_ID), {"D32": 1003017}),
    Fault("caller off", principal(EVENT_SERVICE_APP_ID, "accountEnabled", value=False), {"D33": 1003018}),
    Fault("service principal off", principal(API, "accountEnabled", value=False), {"D31": 1003019}),
    Fault("registration deactivated", app(API, "isDisabled", value=True), {"D31": 1003019}),
    Fault("service principal deactivated", principal(API, "isDisabled", value=True), {"D31": 1003019}),
    Fault("disabled by Microsoft", principal(API, "disabledByMicrosoftStatus", _VIOLATION), {"D31": 1003019}),
    Fault("caller deactivated", principal(EVENT_SERVICE_APP_ID, "isDisabled", value=True), {"D33": 1003018}),
    Fault("http target", extension(_TARGET, f"http://{HOST}/api/x"), {"D21": 1003020}),
    Fault("blank in target", extension(_TARGET, f"https://{HOST}/api/x "), {"D21": 1003020}),
    Fault("user in target", extension(_TARGET, f"https://a:b@{HOST}/api/x"), {"D21": 1003020}),
    Fault("no target", extension(_TARGET, None), {"D21": 1003020}),
    Fault("no consent", principal(API, "appRoleAssignments", []), {"D40": 1003021}),
    Fault("consent to another role", grant(OTHER), {"D40": 1003021}),
    Fault("Graph off", principal(GRAPH_APP_ID, "accountEnabled", value=False), {"D34": 1003022}),
    Fault("no Graph", lambda it: it.remove_principal(GRAPH_APP_ID), {"D34": 1003022}),
    Fault("listener calls the deleted", listener("handler.customExtension.id", OTHER), {"D46": 1003011}),
    Fault("listener calls nothing", listener("handler.customExtension", None), {"D46": 1003011}),
    Fault(
        "listener calls another kind",
        several(
            _copies("customAuthenticationExtensions", 1, **{"@odata.type": _OTHER_KIND}),
            listener("handler.customExtension.id", "eeeeeeee-eeee-4eee-8eee-000000000000"),
        ),
        {"D46": 1003011},
    ),
    Fault(
        "no extension",
        lambda it: it.tenant.update(customAuthenticationExtensions=[], authenticationEventListeners=[]),
        {"D20": None},
    ),
    Fault("no listener", lambda it: it.tenant.update(authenticationEventListeners=[]), {"D45": None}),
    Fault(
        "listener of another event",
        lambda it: it.listener.update({"@odata.type": _OTHER_LISTENER}),
        {"D45": None},
    ),
    Fault("listener without application", listener(_INCLUDED, []), {"D47": None}),
    Fault(
        "listener for another application",
        several(
            lambda it: it.flags.extend(["--app", APP, "--extension", EXTENSION]),
            listener(_INCLUDED, [{"appId": API}]),
        ),
        {"D47": None},
    ),
    Fault("listener for all", listener("conditions.applications.includeAllApplications", value=True), {"D48": None}),
]

CALLS = [
    Fault("timeout too long", extension(_CALL, {"timeoutInMilliseconds": 5000, "maximumRetries": 1}), {"D26": 1003005}),
    Fault("timeout too short", extension(_CALL, {"timeoutInMilliseconds": 100, "maximumRetries": 1}), {"D26": 1003005}),
    Fault("two retries", extension(_CALL, {"timeoutInMilliseconds": 2000, "maximumRetries": 2}), {"D26": 1003005}),
    Fault(
        "listener's timeout too long",
        listener("handler.configuration", {"clientConfiguration": {"timeoutInMilliseconds": 9000}}),
        {"D26": 1003005},
    ),
    Fault(
        "listener's timeout under the budget",
        listener("handler.configuration", {"clientConfiguration": {"timeoutInMilliseconds": 1000}}),
        {"D29": 1003005},
        frozenset({"D27"}),
    ),
    Fault("timeout not set", extension(_CALL, None), {"D29": 1003005}, frozenset({"D27", "D28"})),
    Fault("budget near the timeout", settings(Claims__BudgetMs="1900"), {}, frozenset({"D29"})),
]

SETTINGS = [
    Fault("budget out of bounds", settings(Claims__BudgetMs="90"), {"D01": 1003002}),
    Fault("unknown policy", settings(Claims__OnFailure="perhaps"), {"D01": 1003002}),
    Fault(
        "another tenant",
        settings(AuthenticationEvents__AuthorityUrl=f"https://login.microsoftonline.com/{OTHER}"),
        {"D02": 1003002},
    ),
    Fault("another audience", settings(AuthenticationEvents__AudienceAppId=APP), {"D03": 1003002}),
    Fault("another extension", settings(Claims__AllowedExtensionIds=OTHER), {"D04": 1003002}),
    Fault("another caller", settings(AuthenticationEvents__AuthorizedPartyAppId=API), {"D05": 1003002}),
    Fault("tokens of version 1", app(API, "api.requestedAccessTokenVersion", None), {"D06": 1003002}),
    Fault("another identifier", settings(Claims__ApplicationIdUri="api://old.example/x"), {}, frozenset({"D07"})),
    Fault(
        "test issuer", settings(AuthenticationEvents__AuthorityUrl=f"http://127.0.0.1:8400/{TENANT}"), {"D08": 1003002}
    ),
    Fault("additional caller", settings(Claims__AdditionalCallerAppIds=OTHER), {"D09": None}),
    Fault(
        "additional caller that is meant",
        settings(Claims__AdditionalCallerAppIds=OTHER, Claims__AllowAdditionalCallers="true"),
        {},
        frozenset({"D09"}),
    ),
    Fault(
        "authority of a tenant for customers",
        settings(AuthenticationEvents__AuthorityUrl=f"https://sample.ciamlogin.com/{TENANT}"),
        {"D10": 1003002},
    ),
    Fault(
        "customers at the wrong authority",
        lambda it: _set("tenantType", "CIAM")(it.one("organization")),
        {"D10": 1003002},
        frozenset({"D54"}),
    ),
    Fault(
        "tenants of App Service Authentication",
        settings(WEBSITE_AUTH_ENABLED="True", WEBSITE_AUTH_AAD_ALLOWED_TENANTS=OTHER),
        {"D12": 1003002},
    ),
    Fault(
        "redirect of App Service Authentication",
        settings(WEBSITE_AUTH_ENABLED="True", WEBSITE_AUTH_UNAUTHENTICATED_ACTION="RedirectToLoginPage"),
        {},
        frozenset({"D13"}),
    ),
]

TARGET = [
    Fault("no service principal of the app", lambda it: it.remove_principal(APP), {"D60": None}),
    Fault("claims not accepted", app(APP, "api.acceptMappedClaims", None), {"D61": "AADSTS50146"}),
    Fault("claims refused", app(APP, "api.acceptMappedClaims", value=False), {"D61": "AADSTS50146"}),
    Fault("several tenants", app(APP, "signInAudience", "AzureADMultipleOrgs"), {"D62": "AADSTS50146"}),
    Fault(
        "unverified audience",
        several(
            app(APP, "identifierUris", ["api://portal.azurewebsites.net/x"]),
            app(APP, "api.requestedAccessTokenVersion", None),
        ),
        {"D63": "AADSTS501461"},
        frozenset({"D64"}),
    ),
    Fault("version 1 at the app", app(APP, "api.requestedAccessTokenVersion", 1), {}, frozenset({"D64"})),
    Fault("assignment required", principal(APP, "appRoleAssignmentRequired", value=True), {}, frozenset({"D65"})),
]


def _keys(
    *dates: tuple[str, str], app_id: str = APP, place: str = "principal", **api: Any
) -> Callable[[DoctorInput], None]:
    """Give the app signing keys with these dates, and other members of its registration."""

    def plant(subject: DoctorInput) -> None:
        keys = [
            {"keyId": f"k{number}", "usage": "Sign", "startDateTime": start, "endDateTime": end}
            for number, (start, end) in enumerate(dates)
        ]
        (subject.principal if place == "principal" else subject.app)(app_id)["keyCredentials"] = keys
        subject.app(app_id)["api"] |= api

    return plant


_SOON = (dt.datetime.now(dt.UTC) + dt.timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
_OLD = ("2022-01-01T00:00:00Z", "2023-01-01T00:00:00Z")
_OLD_ELSEWHERE = ("2022-01-01T00:00:00.0000000+02:00", "2023-01-01T00:00:00")
_FUTURE = ("2090-01-01T00:00:00Z", "2091-01-01T00:00:00Z")
_ENDING = ("2022-01-01T00:00:00Z", _SOON)
_MULTI = app(APP, "signInAudience", "AzureADMultipleOrgs")

KEYS = [
    Fault("expired key", _keys(_OLD, acceptMappedClaims=None), {"D67": "AADSTS50146"}),
    Fault(
        "key expired, dates of another writer", _keys(_OLD_ELSEWHERE, acceptMappedClaims=False), {"D67": "AADSTS50146"}
    ),
    Fault("key of tomorrow", _keys(_FUTURE, acceptMappedClaims=None), {"D67": "AADSTS50146"}),
    Fault("an old key and one of tomorrow", _keys(_OLD, _FUTURE, acceptMappedClaims=None), {"D67": "AADSTS50146"}),
    Fault("expired at the registration", _keys(_OLD, place="app", acceptMappedClaims=None), {"D67": "AADSTS50146"}),
    Fault("expired, for several tenants", several(_MULTI, _keys(_OLD)), {"D67": "AADSTS50146"}),
    Fault("a key that ends soon", _keys(_ENDING, acceptMappedClaims=None), {}, frozenset({"D67"})),
    Fault("an expired key that is not needed", _keys(_OLD), {}, frozenset({"D67"})),
    Fault("app off", principal(APP, "accountEnabled", value=False), {"D36": "AADSTS7000112"}),
    Fault("app deactivated", app(APP, "isDisabled", value=True), {"D36": "AADSTS7000112"}),
    Fault("app disabled by Microsoft", app(APP, "disabledByMicrosoftStatus", _VIOLATION), {"D36": "AADSTS7000112"}),
    Fault("asked by an api:// URI", app(APP, "identifierUris", [f"api://{APP}"]), {}, frozenset({"D63"})),
    Fault(
        "asked by a host of Azure's",
        app(APP, "identifierUris", ["https://x.azurewebsites.net/"]),
        {},
        frozenset({"D63"}),
    ),
]

_IDENTITY = "http://schemas.microsoft.com/ws/2008/06/identity/claims"
_SIGNED = principal(APP, "keyCredentials", [{"usage": "Sign"}])

MAPPING = [
    Fault("no policy", principal(APP, "claimsMappingPolicies", []), {"D70": None}),
    Fault("policy elsewhere", _policy_elsewhere, {"D70": None}),
    Fault("two policies", _second_policy, {"D71": None}),
    Fault("definition is no list", lambda it: _set("definition", "{}")(it.policy), {"D72": None}),
    Fault("definition is an object", lambda it: _set("definition", [{}])(it.policy), {"D72": None}),
    Fault("definition is no JSON", lambda it: _set("definition", ["{"])(it.policy), {"D72": None}),
    Fault(
        "another source",
        lambda it: it.schema({place: {"Source": "User"} for place in range(4)}),
        {"D73": None},
    ),
    Fault("another case", schema(3, ID="customRoles", JwtClaimType="customRoles"), {"D74": None}),
    Fault("unknown name", schema(3, ID="Roles", JwtClaimType="Roles"), {"D74": None}, frozenset({"D68"})),
    Fault(
        "claim that nothing maps and the extension lacks",
        lambda it: it.flags.extend(["--claims", "ApiVersion,CorrelationId,CustomRoles,DateOfBirth,Region"]),
        {},
        frozenset({"D68", "D77"}),
    ),
    Fault("misspelt source", schema(3, Source="CustomClaimProvider"), {"D69": None}),
    Fault(
        "every source is misspelt",
        lambda it: it.schema({place: {"Source": "Custom_Claims_Provider"} for place in range(4)}),
        {"D69": None},
    ),
    Fault("source in another case", schema(3, Source="customClaimsProvider"), {}, frozenset({"D69"})),
    Fault("two entries for one target", schema(3, JwtClaimType="ApiVersion"), {}, frozenset({"D69"})),
    Fault("two entries for one claim", schema(3, ID="ApiVersion"), {}, frozenset({"D68", "D69"})),
    Fault("JSON Web Token for a SAML app", principal(APP, "preferredSingleSignOnMode", "saml"), {}, frozenset({"D69"})),
    Fault("SAML entry for an OpenID Connect app", _for_saml_only, {}, frozenset({"D69"})),
    Fault("restricted name", schema(3, JwtClaimType="roles"), {"D75": None}),
    Fault("restricted prefix", schema(3, JwtClaimType="xms_roles"), {"D75": None}),
    Fault("restricted for SAML", schema(3, SamlClaimType=f"{_IDENTITY}/groups"), {"D75": None}),
    Fault("restricted without a signing key", schema(3, SamlClaimType=f"{_IDENTITY}/role"), {"D75": None}),
    Fault("allowed with a signing key", several(schema(3, SamlClaimType=f"{_IDENTITY}/role"), _SIGNED), {}),
    Fault(
        "restricted with a signing key", several(schema(3, SamlClaimType=f"{_IDENTITY}/groups"), _SIGNED), {"D75": None}
    ),
    Fault("NameID from the endpoint", schema(3, SamlClaimType=NAME_ID_CLAIM_TYPE), {"D79": None}),
    Fault(
        "NameID of the user",
        schema(3, Source="User", SamlClaimType=NAME_ID_CLAIM_TYPE),
        {},
        frozenset({"D68"}),
    ),
    Fault("blank after the name", schema(1, JwtClaimType="apiVersion "), {"D76": None}),
    Fault("blank in the id", schema(1, ID="ApiVersion "), {"D76": None}),
    Fault(
        "names in the portal",
        extension("claimsForTokenConfiguration", [{"claimIdInApiResponse": "apiversion"}]),
        {},
        frozenset({"D77"}),
    ),
    Fault("portal overridden", _portal_too, {}, frozenset({"D78"})),
]

HINTS = [
    Fault(
        "private address",
        several(
            extension(_TARGET, "https://10.0.0.4/api/x"),
            extension(_RESOURCE, f"api://10.0.0.4/{API}"),
            app(API, "identifierUris", [f"api://10.0.0.4/{API}"]),
        ),
        {},
        frozenset({"D24"}),
    ),
    Fault(
        "assignment to the endpoint", principal(API, "appRoleAssignmentRequired", value=True), {}, frozenset({"D35"})
    ),
    Fault("permission not requested", app(API, "requiredResourceAccess", []), {}, frozenset({"D41"})),
    Fault("retries not set", extension(_CALL, {"timeoutInMilliseconds": 2000}), {}, frozenset({"D28"})),
    Fault(
        "timeout of 1800",
        extension(_CALL, {"timeoutInMilliseconds": 1800, "maximumRetries": 1}),
        {},
        frozenset({"D27"}),
    ),
    Fault(
        "two listeners for one application",
        _copies("authenticationEventListeners", 1),
        {},
        frozenset({"D49"}),
    ),
    Fault(
        "100 extensions",
        _copies("customAuthenticationExtensions", 99, **{"@odata.type": _OTHER_KIND}),
        {},
        frozenset({"D50"}),
    ),
    Fault(
        "249 listeners",
        _copies("authenticationEventListeners", 248, **{"@odata.type": _OTHER_LISTENER}),
        {},
        frozenset({"D51"}),
    ),
    Fault(
        "one name twice",
        _copies(
            "customAuthenticationExtensions", 1, **{"@odata.type": _OTHER_KIND, "displayName": "SAMPLE claims endpoint"}
        ),
        {},
        frozenset({"D53"}),
    ),
]

FAULTS = [*WIRING, *CALLS, *SETTINGS, *TARGET, *KEYS, *MAPPING, *HINTS]
