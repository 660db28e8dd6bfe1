"""Whether a URL leads to this machine."""

import ipaddress

from yarl import URL


def is_this_machine(url: str) -> bool:
    """Say whether a URL leads to a loopback address; a name other than ``localhost`` is not looked up."""
    host = URL(url).host or ""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
