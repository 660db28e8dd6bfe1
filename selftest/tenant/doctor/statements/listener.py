"""D45 to D54: the listener, which names the applications for whose tokens the extension is called; the limits.

Without a listener that names the application, Entra does not even try: the sign-in shows no Authentication Events.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from selftest.contract import MAX_EXTERNAL_CALLS_PER_S
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.wiring_objects import ListenerObject
from selftest.tenant.doctor.registry import EvidenceMissing, NotApplicable, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import graph, listener_with, patch_handler
from selftest.tenant.graph.objects import LISTENERS

#: Source: Graph ``identityContainer: POST customAuthenticationExtensions``.
MAX_EXTENSIONS: Final = 100
#: Source: External ID service limits; the resource page of Graph says 250.
MAX_LISTENERS: Final = 249
#: Source: the configuration page: unique pairs of application and extension.
MAX_ASSIGNMENTS: Final = 250


@statement("D45", "authenticationEventListeners", "extension")
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


@statement("D46", "authenticationEventListeners", "customAuthenticationExtensions")
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


@statement("D47", "authenticationEventListeners", "extension")
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
            actual=f"other applications only ({len(named)})" if named else "no application",
            command=graph(
                "POST", f"{LISTENERS}/{listeners[0].id}/conditions/applications/includeApplications", {"appId": app_id}
            ),
        )


@statement("D48", "authenticationEventListeners", "extension")
def not_for_all(case: Case) -> Iterator[TenantFinding]:
    """Check the switch."""
    for extension in case.extensions:
        for listener in case.listeners_of(extension):
            if listener.conditions.applications.include_all_applications:
                yield TenantFinding(
                    expected="includeAllApplications false or absent", actual=f"true at listener {listener.id}"
                )


@statement("D49", "authenticationEventListeners")
def one_listener_an_application(case: Case) -> Iterator[TenantFinding]:
    """Count the listeners of each application."""
    counts = Counter(app_id for listener in _ours(case) for app_id in listener.app_ids)
    for app_id, count in sorted(counts.items()):
        if count > 1 and (not case.app_asked or app_id in case.app_ids):
            yield TenantFinding(expected=f"one listener for application {app_id}", actual=f"{count}")


@statement("D50", "customAuthenticationExtensions")
def room_for_extension(case: Case) -> Iterator[TenantFinding]:
    """Count them."""
    yield from _full(len(case.required_tenant.extensions or ()), MAX_EXTENSIONS, "extensions")


@statement("D51", "authenticationEventListeners")
def room_for_listener(case: Case) -> Iterator[TenantFinding]:
    """Count them."""
    yield from _full(len(case.required_tenant.listeners or ()), MAX_LISTENERS, "listeners")


@statement("D52", "authenticationEventListeners")
def room_for_assignment(case: Case) -> Iterator[TenantFinding]:
    """Count the pairs."""
    pairs = {(app_id, listener.extension_id) for listener in _ours(case) for app_id in listener.app_ids}
    yield from _full(len(pairs), MAX_ASSIGNMENTS, "assignments")


@statement("D53", "customAuthenticationExtensions", "authenticationEventListeners")
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


@statement("D54", "tenant-kind", "extension")
def calls_are_limited(case: Case) -> Iterator[TenantFinding]:
    """Report it in an external tenant; how many sign-ins there are is in no object."""
    if not case.required_tenant.external:
        raise NotApplicable
    yield TenantFinding(
        expected=f"at most {MAX_EXTERNAL_CALLS_PER_S} calls a second over all extensions of the external tenant",
        actual="a rate that is not known here",
        hint=True,
    )


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
