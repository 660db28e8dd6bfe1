"""The two addresses of an extension: the target URL, and the resource id that belongs to it.

Source: entra-docs ``custom-extension-troubleshoot.md`` (1003014, 1003015, 1003020): the resource id is
``api://{fully qualified domain name}/{application id}``, the target URL starts with https, and both have one host.
"""

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

_GUID: Final = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_NAME: Final = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_RESOURCE: Final = re.compile(rf"api://(?P<host>{_NAME})/(?P<app_id>{_GUID})", re.IGNORECASE | re.ASCII)
_TAIL_GUID: Final = re.compile(rf"({_GUID})/?$", re.IGNORECASE)
_HOST: Final = re.compile(rf"{_NAME}|\[[0-9a-f:.]+\]", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ResourceId:
    """A resource id of the documented form, in lower case."""

    host: str
    app_id: str

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Return the parts of a resource id, or None where it does not have the form."""
        match = _RESOURCE.fullmatch(text or "")
        return cls(match["host"].lower(), match["app_id"].lower()) if match else None


def app_id_in(text: str | None) -> str | None:
    """Return the application id at the end of a resource id that may be malformed otherwise."""
    match = _TAIL_GUID.search(text or "")
    return match[1].lower() if match else None


def host_of(url: str | None) -> str | None:
    """Return the host of a URL in lower case, also of a malformed URL; None where there is no readable host."""
    try:
        return urlsplit((url or "").strip()).hostname
    except ValueError:
        return None


def url_problem(url: str | None) -> str | None:
    """Return why a target URL is not a well-formed https URL, or None."""
    if not url:
        return "it is empty"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "it has a space, a control character or a letter outside ASCII"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it does not parse"
    if parts.scheme.lower() != "https":
        return f"its scheme is {parts.scheme[:12] or 'absent'}"
    if port == 0 or not parts.hostname or not _HOST.fullmatch(parts.netloc.rpartition("@")[2].removesuffix(f":{port}")):
        return "it has no well-formed host"
    if parts.username is not None:
        return "it has a user name"
    return "it has a fragment" if parts.fragment else None


def shown_url(url: str | None) -> str:
    """Return a URL for people: without user name and without the values of its query, which may be keys."""
    if not url:
        return "nothing"
    head, mark, query = url.partition("?")
    scheme, colons, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    head = f"{scheme}{colons}{'redacted' if user else ''}{at}{host}{slash}{path}" if colons else head
    names = "&".join(f"{pair.partition('=')[0]}=redacted" for pair in query.partition("#")[0].split("&") if pair)
    return f"{head}{mark}{names}"
