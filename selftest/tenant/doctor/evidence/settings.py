"""The settings of the endpoint, as far as they can be read where some are wrong.

The endpoint does not start with wrong settings. The doctor goes on, and compares what it can read with the tenant. Only
the app's own reader reports what is wrong (``sources/app_reader.py``).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from selftest.base.loopback import is_loopback_host
from selftest.base.setting_names import (
    ALLOW_ADDITIONAL_CALLERS,
    AUDIENCE_APP_ID,
    AUTHORITY_URL,
    AUTHORIZED_PARTY_APP_ID,
    BUDGET_MS,
    TENANT_ID,
)
from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.graph.objects import SAMPLE_CLAIMS

DEFAULT_BUDGET_MS: Final = 1500
#: Where the texts of statements say that settings are; `SettingsRead.place` replaces it by where they were read.
PORTAL_SETTINGS: Final = "Azure portal > the function app > Settings > Environment variables"
PROVIDER: Final = "Claims__Provider"
AZD_ORIGIN: Final = "azd environment "

_GUID: Final = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
#: What may be shown of a setting: ids, addresses without a query, small numbers. Everything else might be a secret.
_SHOWABLE: Final = re.compile(
    rf"{_GUID}|\d{{1,6}}|(?:https?|api)://[A-Za-z0-9.:-]{{1,120}}(?:/[A-Za-z0-9.-]{{0,64}}){{0,4}}"
)
_LONGER_AUTHORITY: Final = re.compile(rf"(https?://[A-Za-z0-9.:-]{{1,120}}/{_GUID})/.*")
_WORD: Final = re.compile(r"[a-z_]{1,12}(?::[a-z_]{1,12})?")
#: An apostrophe inside a word is not a quote; a quote that was cut off ends with the message.
_QUOTED: Final = re.compile(r"(?<!\w)'(.+?)(?:'(?!\w)|\Z)", re.DOTALL)
#: The settings in which the providers of this project name the claims that they return.
_CLAIMS_OF: Final = {
    "profile_api": "Claims__ProfileApi__Claims",
    "table": "Claims__Table__Claims",
    "graph": "Claims__Graph__Attributes",
}
_GRAPH_CLAIMS: Final = ("Claims__Graph__GroupsClaim", "Claims__Graph__AppRolesClaim")


@dataclass(frozen=True, slots=True)
class SettingsVerdict:
    """What the app's reader says.

    Attributes:
        problems: What stops the start, one sentence each.
        warnings: What is accepted and should be changed.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingsRead:
    """The settings of one app.

    Attributes:
        values: By name; never printed whole.
        origin: Where they come from, for people.
    """

    values: Mapping[str, str]
    origin: str

    @property
    def place(self) -> str:
        """Return where to change them, for people."""
        if self.origin.startswith(AZD_ORIGIN):
            return f"{self.origin} (`azd env set NAME VALUE`, then `azd provision`)"
        return f"{self.origin}; where the app is deployed, {PORTAL_SETTINGS}"

    @property
    def shorter_authority(self) -> str | None:
        """Return the authority without what follows the tenant's id, such as ``/v2.0``; None where nothing does."""
        found = _LONGER_AUTHORITY.fullmatch(self.authority_url)
        return None if found is None else found[1]

    def text(self, name: str) -> str:
        """Return one setting; empty where it is not set."""
        return self.values.get(name, "").strip()

    def items(self, name: str) -> tuple[str, ...]:
        """Return a comma-separated list of ids, in lower case."""
        return tuple(item for part in self.text(name).split(",") if (item := part.strip().lower()))

    @property
    def authority_url(self) -> str:
        """Return the authority."""
        return self.text(AUTHORITY_URL)

    @property
    def authority_host(self) -> str:
        """Return the host of the authority; empty where there is none."""
        try:
            return urlsplit(self.authority_url).hostname or ""
        except ValueError:
            return ""

    @property
    def tenant_id(self) -> str:
        """Return the tenant: the authority's where that is a GUID, else the setting."""
        last = (self.shorter_authority or self.authority_url).rstrip("/").rpartition("/")[2].lower()
        return last if re.fullmatch(_GUID, last) else self.text(TENANT_ID).lower()

    @property
    def audience_app_id(self) -> str:
        """Return the client id of the API's app registration."""
        return self.text(AUDIENCE_APP_ID).lower()

    @property
    def party_app_id(self) -> str:
        """Return the accepted caller."""
        return self.values.get(AUTHORIZED_PARTY_APP_ID, EVENT_SERVICE_APP_ID).strip().lower()

    @property
    def means_additional_callers(self) -> bool:
        """Whether the settings declare the additional callers to be on purpose."""
        return self.text(ALLOW_ADDITIONAL_CALLERS).lower() == "true"

    @property
    def budget_ms(self) -> int | None:
        """Return the time limit of the answer; None where the setting is not a number."""
        text = self.text(BUDGET_MS) or str(DEFAULT_BUDGET_MS)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None

    @property
    def test_issuer(self) -> bool:
        """Whether tokens of an issuer other than Entra are trusted: plain http, or this machine."""
        return self.authority_url.lower().startswith("http://") or is_loopback_host(self.authority_host)

    @property
    def claim_names(self) -> frozenset[str] | None:
        """Return the names of the claims that the provider returns; None where the settings do not name them."""
        provider = self.text(PROVIDER) or "sample"
        if provider == "sample":
            return frozenset(SAMPLE_CLAIMS)
        setting = _CLAIMS_OF.get(provider)
        if setting is None:
            return None
        named = {_claim(item) for item in self.text(setting).split(",") if item.strip()}
        if provider == "graph":
            named |= {claim for name in _GRAPH_CLAIMS if (claim := self.text(name))}
        return frozenset(named) or None


def showable(value: str) -> str:
    """Return a setting's value where it is an id or an address; otherwise only its length."""
    if not value:
        return "nothing"
    return value if _SHOWABLE.fullmatch(value) else f"a value of {len(value)} characters"


def without_secrets(problem: str, values: Iterable[str]) -> str:
    """Return a message of the app's reader without what may be a secret; its own words stay whole.

    The settings' values and the items of lists among them are replaced wherever they occur, the longest first. So is
    any other text in quotes, which the reader may have from elsewhere, but for a plain word that is in no value.
    """
    parts = {part.strip() for value in values for part in (value, *value.split(","))}
    hidden = sorted((part for part in parts if part and not _SHOWABLE.fullmatch(part)), key=len, reverse=True)
    if hidden:
        anywhere = "|".join(f"'{part}'" if _WORD.fullmatch(part) else _whole(part) for part in hidden)
        problem = re.sub(anywhere, lambda found: showable(found[0] if found[0] in parts else found[0][1:-1]), problem)
    lowered = [part.lower() for part in hidden]

    def quoted(found: re.Match[str]) -> str:
        if _SHOWABLE.fullmatch(found[1]):
            return found[0]
        own = _WORD.fullmatch(found[1]) and not any(found[1] in whole for whole in lowered)
        return found[0] if own else showable(found[1])

    return _QUOTED.sub(quoted, problem)


def _whole(part: str) -> str:
    """Return a pattern for a value, in quotes or not, that does not begin or end inside a word or a number."""
    before, after = (r"(?<!\w)" if part[0].isalnum() else "", r"(?!\w)" if part[-1].isalnum() else "")
    return f"'{re.escape(part)}'|{before}{re.escape(part)}{after}"


def _claim(item: str) -> str:
    """Return the claim's name of ``source:claim`` or ``name``, where a name may be a path with dots."""
    source, colon, claim = item.partition(":")
    return claim.strip() if colon else source.strip().rpartition(".")[2]
