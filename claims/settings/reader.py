"""The settings of a provider: read at the start, every problem told at once, as those of the endpoint are."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from claims.errors import SettingsError
from claims.settings.authority import is_loopback
from claims.settings.claim_names import ClaimNames
from claims.settings.credential import runs_in_azure


class ProviderSettings:
    """Reads one setting at a time and remembers the problems; `require_good` tells them.

    Args:
        environ: the app's settings.

    Attributes:
        in_azure: whether the app runs there, where plain http is refused even on loopback.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []
        self.in_azure = runs_in_azure(environ)

    def problem(self, name: str, sentence: str) -> None:
        """Remember what is wrong with a setting; the sentence goes on from its name and holds no secret."""
        self._problems.append(f"{name} {sentence}")

    def require_good(self) -> None:
        """Stop the start if anything is wrong.

        Raises:
            SettingsError: naming every setting at fault.
        """
        if self._problems:
            raise SettingsError(tuple(self._problems))

    def text(self, name: str, default: str = "") -> str:
        """Read a setting that may be absent."""
        return self._environ.get(name, "").strip() or default

    def required(self, name: str) -> str:
        """Read a setting that must be there."""
        value = self.text(name)
        if not value:
            self.problem(name, "is required and is not set")
        return value

    def url(self, name: str, default: str = "") -> str:
        """Read the URL of a downstream API, without a slash at the end; required when there is no default.

        https, or http on a loopback host outside Azure: a bearer token goes there.
        """
        value = (self.text(name, default) if default else self.required(name)).rstrip("/")
        if value:
            self.check_url(name, value)
        return value

    def check_url(self, name: str, url: str, *, secret: bool = False) -> None:
        """Find what is wrong with a URL; one that stands beside a secret is not shown."""
        if problem := url_problem(url, in_azure=self.in_azure):
            self.problem(name, problem if secret else f"{problem}, got '{url}'")

    def names(self, name: str) -> frozenset[str]:
        """Read a comma-separated list."""
        return frozenset(item for part in self.text(name).split(",") if (item := part.strip()))

    def claim_names(self, name: str) -> ClaimNames:
        """Read which members become claims."""
        try:
            return ClaimNames.parse(self.text(name))
        except ValueError as error:
            self.problem(name, str(error))
            return ClaimNames()

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        """Read a whole number within bounds."""
        text = self.text(name, str(default))
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(high)) else low - 1
        if not low <= value <= high:
            self.problem(name, f"must be {low} to {high}, got '{text}'")
        return value


def url_problem(url: str, *, in_azure: bool) -> str | None:
    """Say what is wrong with a downstream URL, or None."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "must be a URL in plain ASCII"
    try:
        parts = urlsplit(url)
        usable = parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.scheme not in {"https", "http"} or not parts.hostname:
        return "must be https://<host>/<path>"
    if parts.scheme == "http" and (in_azure or not is_loopback(parts.hostname)):
        return "must be https (http is for a loopback host, outside Azure)"
    if parts.query or parts.fragment or "@" in parts.netloc:
        return "must not carry a query, a fragment or a user name"
    return None


def is_local(url: str) -> bool:
    """Say whether a URL is plain http, which `url_problem` allows on this machine only."""
    return url.startswith("http://")
