"""The two addresses of an extension, taken apart: the target URL, and the resource id that goes with it.

Source: entra-docs ``custom-extension-troubleshoot.md`` (1003014, 1003015, 1003020): the resource id is
``api://{fully qualified domain name}/{application id}``, the target URL starts with https, and both have one host.
"""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_RESOURCE = re.compile(
    r"api://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)/"
    r"(?P<app_id>[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12})"
)
_TAIL_GUID = re.compile(r"([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})/?$", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\]")


@dataclass(frozen=True, slots=True)
class ResourceId:
    """A resource id of the documented form, in lower case."""

    host: str
    app_id: str

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Take it apart; None where it is not of the form."""
        match = _RESOURCE.fullmatch(text or "")
        return cls(match["host"].lower(), match["app_id"].lower()) if match else None


def app_id_in(text: str | None) -> str | None:
    """Find the application id at the end of a resource id that may be malformed otherwise."""
    match = _TAIL_GUID.search(text or "")
    return match[1].lower() if match else None


def host_of(url: str | None) -> str | None:
    """Give the host of a URL in lower case, also of one that is malformed elsewhere; None where none can be read."""
    try:
        return urlsplit((url or "").strip()).hostname
    except ValueError:
        return None


def url_problem(url: str | None) -> str | None:
    """Say what keeps a target URL from being a well-formed https URL, or None."""
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
        return "it carries a user name"
    return "it has a fragment" if parts.fragment else None


def shown_url(url: str | None) -> str:
    """Write a URL for people: without a user's part and with no value of its query, which may be a key."""
    if not url:
        return "nothing"
    head, mark, query = url.partition("?")
    scheme, colons, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    head = f"{scheme}{colons}{'redacted' if user else ''}{at}{host}{slash}{path}" if colons else head
    names = "&".join(f"{pair.partition('=')[0]}=redacted" for pair in query.partition("#")[0].split("&") if pair)
    return f"{head}{mark}{names}"
