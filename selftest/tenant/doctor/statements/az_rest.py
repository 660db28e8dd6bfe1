"""Commands of the Azure CLI that correct an object through Microsoft Graph, for people to paste.

`az rest` signs the request itself and accepts any path below Graph. Nothing here runs a command. Text from a tenant or
a file is quoted: a pasted command must not run text that somebody wrote into an id.
"""

import json
import re
import shlex
from typing import Any, Final

from selftest.tenant.graph.objects import (
    AUTHENTICATION_TYPE,
    EXTENSION_TYPE,
    EXTENSIONS,
    HANDLER_TYPE,
    LISTENER_TYPE,
    LISTENERS,
)

_GRAPH: Final = "https://graph.microsoft.com/v1.0"
#: Plain characters for a shell inside double quotes, which are easier to read than the quotes of `shlex`.
_HARMLESS: Final = re.compile(r"[A-Za-z0-9/()'=.:,_-]*")


def graph(method: str, path: str, body: dict[str, Any] | None = None) -> str:
    """Return the command for one request."""
    command = f"az rest --method {method} --url {word(_GRAPH + path)}"
    if body is None:
        return command
    text = json.dumps(body, separators=(",", ":"))
    return f"{command} --headers Content-Type=application/json --body {shlex.quote(text)}"


def word(text: str) -> str:
    """Return a text as one word of a shell's command line."""
    return f'"{text}"' if _HARMLESS.fullmatch(text) else shlex.quote(text)


def patch_application(app_id: str, body: dict[str, Any]) -> str:
    """Return the command that changes an app registration, found by its client id."""
    return graph("PATCH", f"/applications(appId='{app_id}')", body)


def patch_principal(app_id: str, body: dict[str, Any]) -> str:
    """Return the command that changes a service principal, found by its client id."""
    return graph("PATCH", f"/servicePrincipals(appId='{app_id}')", body)


def create_principal(app_id: str) -> str:
    """Return the command that creates the service principal of an application."""
    return f"az ad sp create --id {word(app_id)}"


def patch_extension(extension_id: str, body: dict[str, Any]) -> str:
    """Return the command that changes an extension; Graph requires its type in every change."""
    return graph("PATCH", f"{EXTENSIONS}/{extension_id}", {"@odata.type": EXTENSION_TYPE, **body})


def patch_resource_id(extension_id: str, resource_id: str) -> str:
    """Return the command that changes the resource id of an extension."""
    body = {"@odata.type": AUTHENTICATION_TYPE, "resourceId": resource_id}
    return patch_extension(extension_id, {"authenticationConfiguration": body})


def listener_with(handler: dict[str, Any]) -> dict[str, Any]:
    """Return a listener's type and handler; Graph requires the types in every change."""
    return {"@odata.type": LISTENER_TYPE, "handler": {"@odata.type": HANDLER_TYPE, **handler}}


def patch_handler(listener_id: str, handler: dict[str, Any]) -> str:
    """Return the command that changes the handler of a listener."""
    return graph("PATCH", f"{LISTENERS}/{listener_id}", listener_with(handler))


def app_setting(name: str, value: str) -> str:
    """Return the command that changes a setting of the function app."""
    return f"az functionapp config appsettings set -g <group> -n <app> --settings {word(f'{name}={value}')}"
