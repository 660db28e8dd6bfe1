"""Commands that mend an object through Microsoft Graph with the Azure CLI, so that they can be pasted.

`az rest` signs the request itself, and takes any path below Graph. Nothing here is run. What comes from a tenant or a
file is quoted: who pastes a command must not run what somebody wrote into an id.
"""

import json
import re
import shlex
from typing import Any, Final

_GRAPH: Final = "https://graph.microsoft.com/v1.0"
#: Nothing of this means anything to a shell between double quotes, which read better than `shlex`'s around apostrophes.
_HARMLESS: Final = re.compile(r"[A-Za-z0-9/()'=.:,_-]*")


def graph(method: str, path: str, body: dict[str, Any] | None = None) -> str:
    """Write the command for one request.

    Args:
        method: GET, POST, PATCH or DELETE.
        path: below the version, starting with a slash.
        body: what to send; None for nothing.
    """
    command = f"az rest --method {method} --url {word(_GRAPH + path)}"
    if body is None:
        return command
    text = json.dumps(body, separators=(",", ":"))
    return f"{command} --headers Content-Type=application/json --body {shlex.quote(text)}"


def word(text: str) -> str:
    """Write a text as one word of a shell's command line."""
    return f'"{text}"' if _HARMLESS.fullmatch(text) else shlex.quote(text)


def patch_application(app_id: str, body: dict[str, Any]) -> str:
    """Change an app registration, found by its client id."""
    return graph("PATCH", f"/applications(appId='{app_id}')", body)


def patch_principal(app_id: str, body: dict[str, Any]) -> str:
    """Change a service principal, found by its client id."""
    return graph("PATCH", f"/servicePrincipals(appId='{app_id}')", body)


def create_principal(app_id: str) -> str:
    """Create the service principal of an application."""
    return f"az ad sp create --id {word(app_id)}"


def patch_extension(extension_id: str, body: dict[str, Any]) -> str:
    """Change an extension; Graph wants its type in every change."""
    typed = {"@odata.type": "#microsoft.graph.onTokenIssuanceStartCustomExtension", **body}
    return graph("PATCH", f"/identity/customAuthenticationExtensions/{extension_id}", typed)


def patch_listener(listener_id: str, body: dict[str, Any]) -> str:
    """Change a listener; Graph wants its type in every change."""
    typed = {"@odata.type": "#microsoft.graph.onTokenIssuanceStartListener", **body}
    return graph("PATCH", f"/identity/authenticationEventListeners/{listener_id}", typed)


def app_setting(name: str, value: str) -> str:
    """Change a setting of the function app."""
    return f"az functionapp config appsettings set -g <group> -n <app> --settings {word(f'{name}={value}')}"
