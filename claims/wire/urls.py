"""The URLs that settings, metadata and downstream APIs name: parsed strictly, compared as URLs compare.

Two parsers that disagree about where a host ends are how a token reaches a stranger. So a URL is accepted only where no
parser can disagree: a plain host name or address, no user name, no backslash. Scheme and host are in lower case and the
scheme's default port is dropped, so that equal origins are equal strings.

Source: RFC 3986 sections 3.2 and 6.2.2.1; WHATWG URL Standard, "Host parsing" (what ends in a number is an IPv4
address).
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Self

_URL: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[0-9a-z.-]+)(?::([0-9]{0,5}))?((?:[/?#][^\\]*)?)", re.IGNORECASE)
_LABEL: Final = r"[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ENDS_IN_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_MAX_NAME: Final = 253
_MAX_PORT: Final = 65535
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute http or https URL.

    Attributes:
        origin: ``scheme://host`` in lower case, with the port unless it is the scheme's default.
        host: The host in lower case; an IPv6 address without its brackets.
        rest: Path, query and fragment as they were written.
    """

    origin: str
    host: str
    rest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a URL.

        Raises:
            ValueError: The text is not such a URL. The message continues a sentence about it, without quoting it.
        """
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("must be a URL in plain ASCII")
        found = _URL.fullmatch(text)
        if found is None:
            raise ValueError("must be https://<host>/<path>, without a user name or a backslash")
        scheme, host = found[1].lower(), _host(found[2].lower())
        port = int(found[3] or _DEFAULT_PORTS[scheme])
        if not 0 < port <= _MAX_PORT:
            raise ValueError(f"must have a port from 1 to {_MAX_PORT}, or none")
        origin = f"{scheme}://{host}" + (f":{port}" if port != _DEFAULT_PORTS[scheme] else "")
        return cls(origin, host.strip("[]"), found[4])

    def __str__(self) -> str:
        return self.origin + self.rest


def parse_service_url(text: str, *, in_azure: bool) -> Url:
    """Parse the URL of a service that receives tokens or says which tokens are valid.

    Plain http is for a developer's machine: the host must be loopback, and the app must not run in Azure.

    Raises:
        ValueError: The text is not such a URL; see `Url.parse`.
    """
    url = Url.parse(text)
    if is_plain_http(url.origin) and (in_azure or not is_loopback(url.host)):
        raise ValueError("must be https (http is for a loopback host, outside Azure)")
    if "?" in url.rest or "#" in url.rest:
        raise ValueError("must not have a query or a fragment")
    return url


def same_origin(one: str, other: str) -> bool:
    """Whether two texts are URLs of the same scheme, host and port."""
    try:
        return Url.parse(one).origin == Url.parse(other).origin
    except ValueError:
        return False


def is_plain_http(url: str) -> bool:
    """Whether a URL is plain http, which `parse_service_url` accepts on this machine only."""
    return url.startswith("http:")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(text: str) -> str:
    try:
        if text.startswith("["):
            return f"[{ipaddress.IPv6Address(text[1:-1])}]"
        if _ENDS_IN_NUMBER.fullmatch(text):
            return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ValueError("must have a valid IP address as host, or a name") from None
    if len(text) > _MAX_NAME or not _NAME.fullmatch(text):
        raise ValueError("must have a valid host name")
    return text
