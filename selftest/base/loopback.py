"""Whether a URL or a host names this machine, and whether a request to it comes from a web page."""

import ipaddress
from collections.abc import Mapping

from yarl import URL


def is_this_machine(url: str) -> bool:
    """Whether a URL leads to a loopback address. A name other than ``localhost`` is not resolved."""
    try:
        return is_loopback_host(URL(url).host or "")
    except ValueError:  # not a URL
        return False


def is_loopback_host(host: str) -> bool:
    """Whether a host without its port is ``localhost`` or a loopback address, such as ``127.0.0.1`` and ``::1``."""
    try:
        return host.lower().rstrip(".") == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_from_web_page(headers: Mapping[str, str]) -> bool:
    """Whether a browser sends the request for a page: programs send neither header (Fetch Metadata, RFC 6454)."""
    return "Origin" in headers or headers.get("Sec-Fetch-Site", "none") != "none"
