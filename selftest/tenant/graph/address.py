"""The addresses that requests to Graph, and with them tokens, may be sent to."""

from typing import Any, Final

from yarl import URL

from selftest.base.loopback import is_this_machine
from selftest.tenant.graph.errors import AnswerUnusable
from selftest.tenant.graph.surface import Version

PUBLIC_CLOUD: Final = "https://graph.microsoft.com"


def graph_address(base_url: str) -> URL:
    """Return the address of a Graph.

    Raises:
        ValueError: It is not scheme and host alone, or plain http to another machine.
    """
    url = URL(base_url)
    if not url.is_absolute() or url.user is not None or url.query_string or url.path.strip("/"):
        raise ValueError(f"the address of Graph has to be scheme and host alone, as {PUBLIC_CLOUD}")
    if url.scheme != "https" and not (url.scheme == "http" and is_this_machine(base_url)):
        raise ValueError(f"the address of Graph has to start with https://, as {PUBLIC_CLOUD}")
    return url


def path_url(base: URL, path: str, version: Version) -> URL:
    """Return the address of a path.

    Raises:
        ValueError: The path could lead elsewhere: it contains an id that is not one.
    """
    if (
        not path.startswith("/")
        or any(each in {"", ".", ".."} for each in path[1:].split("/"))
        or set(path) & set("?#\\%")
    ):
        raise ValueError(f"not a path of Graph: {path!r}")
    return base.with_path(f"/{version}{path}")


def next_page(base: URL, body: dict[str, Any], what: str) -> URL | None:
    """Return the address of a list's next page; None at the end.

    Raises:
        AnswerUnusable: The link leads to another host.
    """
    link = body.get("@odata.nextLink")
    if link is None:
        return None
    try:
        url = URL(link, encoded=True) if isinstance(link, str) else URL()
        same = url.is_absolute() and url.origin() == base.origin() and url.user is None
    except ValueError:
        same = False
    if not same:
        reason = f"{what}: the link to the next page leads to another host"
        raise AnswerUnusable(
            reason, "It is not followed, because the token would be sent along. Check the address of Graph"
        )
    return url
