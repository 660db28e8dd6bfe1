"""The URL of an endpoint as a flag has it, and the URL of its health check."""

import argparse
from typing import Final

from yarl import URL

CALLOUT_PATH: Final = "/api/onTokenIssuanceStart"
HEALTH_PATH: Final = "/api/health"


def endpoint_url(text: str) -> str:
    """Return the http or https URL of ``--url``, completed with the callout's path where it has none.

    Raises:
        argparse.ArgumentTypeError: The text is not such a URL.
    """
    try:
        url = URL(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host or url.user is not None or url.fragment:
        raise argparse.ArgumentTypeError(f"expected http(s)://host[:port][/path][?query], got {text!r}")
    if url.path in {"", "/"}:
        url = url.with_path(CALLOUT_PATH, keep_query=True)
    return str(url)


def health_url(url: str) -> str:
    """Return the health URL of an endpoint: ``health`` next to the callout's route, on the same host."""
    endpoint = URL(url)
    return str(endpoint.parent / "health") if endpoint.path not in {"", "/"} else str(endpoint.with_path(HEALTH_PATH))
