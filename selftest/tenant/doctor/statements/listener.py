"""D45 to D53: the listener, which names the applications for whose tokens the extension is called; the limits.

Without a listener that names the application, Entra does not even try: the sign-in shows no Authentication Events.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.wiring_objects import ListenerObject
from selftest.tenant.doctor.registry import EvidenceMissing, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import graph, listener_with, patch_handler
from selftest.tenant.graph.objects import LISTENERS

_CONFIGURE: Final = "entra-docs identity-platform/custom-extension-tokenissuancestart-configuration.md"
_PORTAL: Final = (
    "Entra > Enterprise applications > the application > Single sign-on > Attributes & Claims > Advanced settings"
    " > Custom claims provider > Configure"
)
#: Source: Graph ``identityContainer: POST customAuthenticationExtensions``.
_MAX_EXTENSIONS: Final = 100
#: Source: External ID service limits; the resource page of Graph says 250.
_MAXLISTENERS: Final = 249
#: Source: the configuration page: unique pairs of application and extension.
_MAX_ASSIGNMENTS: Final = 250


@statement(
    "D45",
    "a listener calls the extension",
    needs=("authenticationEventListeners", "extension"),
    source=f"{_CONFIGURE} (step 3)",
    why="Entra never calls an extension without a listener, and sign-ins show no Authentication Events.",
    fix=f"{_PORTAL}.",
    explain="The handler of an onTokenIssuanceStartListener holds the extension's id. Where another listener calls an "
    "extension that does not exist, D46 reports that.",
)
def listener_calls(case: Case) -> Iterator[TenantFinding]:
    """Check that each extension has a listener."""
    if any(True for _ in _broken(case)):
        raise EvidenceMissing(
            "a listener calls an extension that does not exist (D46), which may be meant to be this one"
        )
    for extension in case.extensions:
        if not case.listeners_of(extension):
            included = [{"appId": app_id} for app_id in case.app_ids] or [{"appId": "<client id>"}]
            conditions = {"conditions": {"applications": {"includeApplications": included}}}
            body = conditions | listener_with({"customExtension": {"id": extension.id}})
            yield TenantFinding(
                expected=f"a listener with extension {extension.id}",
                actual="none",
                command=graph("POST", LISTENERS, body),
            )


@statement(
    "D46",
    "the extension that a listener calls exists",
    code=1003011,
    needs=("authenticationEventListeners", "customAuthenticationExtensions"),
    source="entra-docs identity-platform/custom-extension-troubleshoot.md (1003011)",
    why="The sign-ins of the listener's applications fail, because Entra finds no extension to call.",
    fix=f"{_PORTAL}: choose the existing extension.",
    explain="handler.customExtension.id of each onTokenIssuanceStartListener is the id of an extension of the same "
    "event.\nWith --app only listeners that name it are examined.",
)
def called_extension_exists(case: Case) -> Iterator[TenantFinding]:
    """Look up every called id."""
    existing = [one.id for one in case.extensions] or [
        one.id for one in case.required_tenant.extensions or () if one.for_token_issuance
    ]
    for listener, what in _broken(case):
        target = existing[0] if len(existing) == 1 else "<id of the existing extension>"
        yield TenantFinding(
            expected=f"an extension for this event behind listener {listener.id}",
            actual=what,
            command=patch_handler(listener.id, {"customExtension": {"id": target}}),
        )


@statement(
    "D47",
    "a listener names the application",
    needs=("authenticationEventListeners", "extension"),
    source=f"{_CONFIGURE} (step 3)",
    why="Entra calls for the applications that a listener names, and for no other.",
    fix=f"{_PORTAL}.",
    explain="conditions.applications.includeApplications of a listener that calls the extension has the application's "
    "client id: that of the client for claims in its ID token, that of the API for claims in an access token to it.\n"
    "Name both where both tokens should have the claims. --app chooses the application.",
    bad='"includeApplications": []',
    good='"includeApplications": [{"appId": "<client id>"}]',
)
def application_is_named(case: Case) -> Iterator[TenantFinding]:
    """Check for the application of --app, or for any."""
    listeners = [listener for extension in case.extensions for listener in case.listeners_of(extension)]
    if not listeners:
        raise EvidenceMissing("no listener calls the extension (D45, D46)")
    named = frozenset().union(*(listener.app_ids for listener in listeners))
    missing = [app_id for app_id in case.app_ids if app_id not in named] if case.app_asked else []
    for app_id in missing or (["<client id>"] if not named else []):
        yield TenantFinding(
            expected=f"application {app_id} in includeApplications",
            actual=f"{len(named)} others" if named else "no application",
            command=graph(
                "POST", f"{LISTENERS}/{listeners[0].id}/conditions/applications/includeApplications", {"appId": app_id}
            ),
        )


@statement(
    "D48",
    "no listener is for all applications",
    needs=("authenticationEventListeners", "extension"),
    source="Microsoft Graph beta authenticationConditionsApplications",
    why="For this event includeAllApplications must be false: applications are named one by one.",
    fix=f"{_PORTAL}, for each application.",
    explain="includeAllApplications, which beta has and v1.0 leaves out, is not true.",
    bad='"includeAllApplications": true',
    good='"includeApplications": [{"appId": "<client id>"}]',
)
def not_for_all(case: Case) -> Iterator[TenantFinding]:
    """Check the switch."""
    for extension in case.extensions:
        for listener in case.listeners_of(extension):
            if listener.conditions.applications.include_all_applications:
                yield TenantFinding(
                    expected="includeAllApplications false or absent", actual=f"true at listener {listener.id}"
                )


@statement(
    "D49",
    "an application is in one listener only",
    level="hardening",
    needs=("authenticationEventListeners",),
    source="Microsoft Graph beta authenticationEventListener (priority)",
    why="A priority, which v1.0 does not show, decides which of two listeners is used.",
    fix=f"{_PORTAL}: leave the application in one listener.",
    explain="No application is named by two listeners of this event.",
)
def one_listener_an_application(case: Case) -> Iterator[TenantFinding]:
    """Count the listeners of each application."""
    counts = Counter(app_id for listener in _ours(case) for app_id in listener.app_ids)
    for app_id, count in sorted(counts.items()):
        if count > 1 and (not case.app_asked or app_id in case.app_ids):
            yield TenantFinding(expected=f"one listener for application {app_id}", actual=f"{count}")


@statement(
    "D50",
    "the tenant has room for another extension",
    level="hardening",
    needs=("customAuthenticationExtensions",),
    source="Microsoft Graph v1.0 identityContainer: POST customAuthenticationExtensions",
    why="A tenant can hold 100 custom extensions; one more cannot be created.",
    fix="Entra > External Identities > Custom authentication extensions: delete unused ones.",
    explain="Extensions of all kinds are counted.",
)
def room_for_extension(case: Case) -> Iterator[TenantFinding]:
    """Count them."""
    yield from _full(len(case.required_tenant.extensions or ()), _MAX_EXTENSIONS, "extensions")


@statement(
    "D51",
    "the tenant has room for another listener",
    level="hardening",
    needs=("authenticationEventListeners",),
    source="Microsoft Graph v1.0 authenticationEventListener (250); External ID service limits (249)",
    why="Beyond the limit no listener can be created.",
    fix=f"{_PORTAL}: one listener may name several applications.",
    explain="Listeners of all kinds are counted. The two pages differ by one; the smaller number is used.",
)
def room_for_listener(case: Case) -> Iterator[TenantFinding]:
    """Count them."""
    yield from _full(len(case.required_tenant.listeners or ()), _MAXLISTENERS, "listeners")


@statement(
    "D52",
    "the tenant has room for another assignment",
    level="hardening",
    needs=("authenticationEventListeners",),
    source=_CONFIGURE,
    why="A tenant can have 250 pairs of application and extension; one more application cannot be added.",
    fix="Remove applications that need no claims from the listeners.",
    explain="Unique pairs of application and extension are counted over all listeners of this event.",
)
def room_for_assignment(case: Case) -> Iterator[TenantFinding]:
    """Count the pairs."""
    pairs = {(app_id, listener.extension_id) for listener in _ours(case) for app_id in listener.app_ids}
    yield from _full(len(pairs), _MAX_ASSIGNMENTS, "assignments")


@statement(
    "D53",
    "display names are unique",
    level="hardening",
    needs=("customAuthenticationExtensions", "authenticationEventListeners"),
    source="ours",
    why="Graph has no other key for these objects: scripts and people confuse two of the same name.",
    fix="Rename or delete one of the two.",
    explain="Extensions, listeners and claims mapping policies are compared, each kind separately.",
)
def names_are_unique(case: Case) -> Iterator[TenantFinding]:
    """Compare names; only the ids of the objects are shown."""
    seen = case.required_tenant
    kinds = (("extension", seen.extensions), ("listener", seen.listeners), ("claims mapping policy", seen.policies))
    for kind, objects in kinds:
        by_name: dict[str, list[str]] = {}
        for one in objects or ():
            if one.display_name:
                by_name.setdefault(one.display_name.casefold(), []).append(one.id)
        for ids in by_name.values():
            if len(ids) > 1:
                yield TenantFinding(expected=f"one {kind} with a name", actual=f"{len(ids)}: {', '.join(ids)}")


def _ours(case: Case) -> list[ListenerObject]:
    return [listener for listener in case.required_tenant.listeners or () if listener.for_token_issuance]


def _broken(case: Case) -> Iterator[tuple[ListenerObject, str]]:
    """Yield the listeners whose extension is missing or of another event."""
    extensions = case.required_tenant.extensions
    if extensions is None:
        return
    for listener in _ours(case):
        if case.app_asked and not listener.app_ids & set(case.app_ids):
            continue
        extension = case.required_tenant.extension(listener.extension_id)
        if not listener.extension_id:
            yield listener, "the listener names no extension"
        elif extension is None:
            yield listener, f"{listener.extension_id}, which does not exist"
        elif not extension.for_token_issuance:
            yield listener, f"{listener.extension_id}, which is for another event"


def _full(count: int, limit: int, what: str) -> Iterable[TenantFinding]:
    if count >= limit:
        yield TenantFinding(expected=f"fewer than {limit} {what}", actual=f"{count}")
