"""Where an endpoint is: its URL and its port as flags say them, and where its health is."""

import argparse
from typing import Final

from yarl import URL

CALLOUT_PATH: Final = "/api/onTokenIssuanceStart"
HEALTH_PATH: Final = "/api/health"


def endpoint_url(text: str) -> str:
    """Read ``--url``: an http or https URL, completed with the path of the callout where it has none.

    Raises:
        argparse.ArgumentTypeError: When it is none.
    """
    try:
        url = URL(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no URL: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host or url.user is not None or url.fragment:
        raise argparse.ArgumentTypeError(f"expected http(s)://host[:port][/path][?query], got {text!r}")
    if url.path in {"", "/"}:
        url = url.with_path(CALLOUT_PATH, keep_query=True)
    return str(url)


def port_number(text: str) -> int:
    """Read a TCP port, 0 to 65535; 0 takes a free one.

    Raises:
        argparse.ArgumentTypeError: When it is none.
    """
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def health_url(url: str) -> str:
    """Give the health URL of an endpoint: ``health`` beside the callout's route, on the same host."""
    endpoint = URL(url)
    return str(endpoint.parent / "health") if endpoint.path not in {"", "/"} else str(endpoint.with_path(HEALTH_PATH))
