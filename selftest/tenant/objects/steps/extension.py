"""The custom authentication extension: where Entra calls, how long it waits, which claims are accepted (phase C).

Nothing calls it until a listener names it. It is ours by its name and by the identifier URI that it names; one that has
only one of the two belongs to somebody else, and stops the command.

Source: Microsoft Graph v1.0 ``identitycontainer-post-customauthenticationextensions.md``,
``customauthenticationextension-update.md``, ``resources/customextensionclientconfiguration.md``.
"""

from typing import ClassVar, Final
from urllib.parse import urlsplit

from selftest.contract import MAX_RETRIES, MAX_TIMEOUT_MS
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.objects import AUTHENTICATION_TYPE, ENDPOINT_TYPE, EXTENSION_TYPE, EXTENSIONS, GraphObject
from selftest.tenant.objects.errors import conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.found_objects import FoundObjects
from selftest.tenant.objects.steps.step import PlannedChange, SetupStep, Write, id_of, named, planned_change


class ExtensionStep(SetupStep):
    """The extension."""

    what: ClassVar = "extension"
    phase: ClassVar = "C"
    unique: ClassVar = False

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Find it by its name among all of them: Graph documents no filter."""
        found.extensions = await client.list_all(EXTENSIONS)
        found.extension = one_of_name(found.extensions, intent.display_name, "extension")

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Compare where it calls and how; its description is set once."""
        _check_ours(intent, found)
        wanted: GraphObject = {
            "@odata.type": EXTENSION_TYPE,
            **authentication(intent, found),
            "clientConfiguration": {"timeoutInMilliseconds": MAX_TIMEOUT_MS, "maximumRetries": MAX_RETRIES},
        }
        if found.extension is None or intent.claims is not None:
            names = [{"claimIdInApiResponse": claim.name} for claim in intent.wanted_claims]
            wanted["claimsForTokenConfiguration"] = names
        name = intent.display_name
        new = wanted | {"displayName": name, "description": "Adds claims to tokens"}
        create = Write(verb="create", path=EXTENSIONS, body=new)
        return planned_change(named(found.extension, name), wanted, found.extension, path=EXTENSIONS, create=create)


PHASE_C: Final[tuple[SetupStep, ...]] = (ExtensionStep(),)


def authentication(intent: Intent, found: FoundObjects) -> GraphObject:
    """Return where Entra calls and for which resource it gets the token, which is what its validation checks."""
    return {
        "endpointConfiguration": {"@odata.type": ENDPOINT_TYPE, "targetUrl": intent.target_url},
        "authenticationConfiguration": {
            "@odata.type": AUTHENTICATION_TYPE,
            "resourceId": intent.resource_id(id_of(found.application, "appId")),
        },
    }


def resource_of(extension: GraphObject) -> str:
    """Return the identifier URI that an extension names."""
    return str((extension.get("authenticationConfiguration") or {}).get("resourceId") or "")


def one_of_name(items: list[GraphObject], name: str, what: str) -> GraphObject | None:
    """Return the object with a name; None where there is none.

    Raises:
        Conflict: There are two, and nothing shows which of them is used.
    """
    found = [item for item in items if item.get("displayName") == name]
    if len(found) > 1:
        ids = ", ".join(sorted(str(item["id"]) for item in found))
        raise conflict("same-name", count=len(found), what=what, name=name, ids=ids)
    return found[0] if found else None


def _check_ours(intent: Intent, found: FoundObjects) -> None:
    """Refuse where the extension is somebody else's, or calls another host, or exists under another name."""
    app_id = id_of(found.application, "appId")
    existing = found.extension
    if existing is None:
        for each in found.extensions:
            url = (each.get("endpointConfiguration") or {}).get("targetUrl")
            if url == intent.target_url and resource_of(each) == intent.resource_id(app_id):
                raise conflict(
                    "endpoint-of-another-extension",
                    name=each.get("displayName"),
                    id=each["id"],
                    wanted=intent.display_name,
                )
        return
    if existing.get("@odata.type") != EXTENSION_TYPE or not resource_of(existing).endswith(f"/{app_id}"):
        raise conflict(
            "extension-of-another-app",
            name=intent.display_name,
            id=existing["id"],
            owner=resource_of(existing) or "another event",
        )
    host = urlsplit(str((existing.get("endpointConfiguration") or {}).get("targetUrl"))).hostname
    if host != intent.host and not intent.move:
        raise conflict("extension-of-another-host", id=existing["id"], host=host, wanted=intent.host)
