"""A browser without a window: it follows redirects, keeps cookies, reads a page's form and presses one of its buttons.

It stops where the emulated Entra redirects it to the app, and returns what the app would receive.
"""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Where a sign-in ended.

    Attributes:
        url: The app's redirect URI without the answer; the page's own URL when the browser stayed.
        fields: The parameters for the app.
        text: The page, when the browser stayed.
        status: Its status.
    """

    url: str
    fields: dict[str, str]
    text: str = ""
    status: int = 0


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.users: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        elif tag == "input":
            self.fields[given["name"]] = given["value"]
        elif tag == "button" and given.get("name") == "user":
            self.users.append(given["value"])


def form_of(text: str) -> _Form:
    """Read the page's form."""
    form = _Form()
    form.feed(text)
    return form


class Browser:
    """One browser.

    Args:
        ca_file: The certificate authority that it trusts.
    """

    def __init__(self, ca_file: str) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ca_file

    def close(self) -> None:
        """Close its connections."""
        self.session.close()

    def open(self, url: str, *, user: str | None = None, button: dict[str, str] | None = None) -> Landing:
        """Go to a URL of the emulated Entra; choose this user where the page asks, or press that button."""
        response = self.session.get(url, allow_redirects=False, timeout=_TIMEOUT_S)
        if response.status_code == 200 and (user is not None or button is not None):
            form = form_of(response.text)
            if form.users:
                action = urljoin(url, form.action)
                pressed = button if button is not None else {"user": str(user)}
                origin = "{0.scheme}://{0.netloc}".format(urlsplit(action))
                response = self.session.post(
                    action,
                    data={**form.fields, **pressed},
                    headers={"Origin": origin},
                    allow_redirects=False,
                    timeout=_TIMEOUT_S,
                )
        return landing(response)


def landing(response: requests.Response) -> Landing:
    """Return where a response leads."""
    if response.status_code == 302:
        parts = urlsplit(response.headers["Location"])
        answer = dict(parse_qsl(parts.fragment or parts.query))
        return Landing(url=parts._replace(query="", fragment="").geturl(), fields=answer)
    form = form_of(response.text)
    if response.status_code == 200 and form.action.startswith("http"):
        return Landing(url=form.action, fields=form.fields, text=response.text, status=200)
    return Landing(url=response.url, fields={}, text=response.text, status=response.status_code)
