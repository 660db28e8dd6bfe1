"""The app's tokens claim by claim, with the origin of each claim.

The record shows the origin: what the mapping policy took from the reply, what it added itself, and everything else,
which comes from Entra.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from selftest.playground.html.readable import value_text
from selftest.signin.sign_in_log import SignInRecord
from selftest.signin.tenant.directory import GRAPH, App

type ClaimOrigin = Literal["endpoint", "policy", "entra"]

_TITLES: Final[Mapping[str, str]] = {
    "id_token": "The id token",
    "access_token": "The access token",
    "saml": "The SAML assertion",
}
_ORDER: Final[tuple[ClaimOrigin, ...]] = ("endpoint", "policy", "entra")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """One claim of a token with its origin."""

    name: str
    value: str
    origin: ClaimOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTable:
    """One token, decoded and without its compact form.

    Attributes:
        rows: Its claims, those from the endpoint first.
        mapped: Whether the app has a claims mapping policy.
        for_graph: Whether it is for Microsoft Graph, whose tokens get no custom claims.
    """

    title: str
    audience: str
    rows: tuple[ClaimRow, ...]
    mapped: bool
    for_graph: bool

    @property
    def from_endpoint(self) -> int:
        """Return the number of claims that came from the endpoint."""
        return sum(row.origin == "endpoint" for row in self.rows)


def token_tables(record: SignInRecord) -> list[TokenTable]:
    """Return a table for every token of a sign-in."""
    return [_table(kind, claims, record) for kind, claims in record.minted.items()]


def _table(kind: str, claims: Mapping[str, object], record: SignInRecord) -> TokenTable:
    app = record.resource if kind == "access_token" else record.client
    custom = record.custom_claims.get(kind, {})
    constants = _constants(app, saml=kind == "saml")
    rows = [
        ClaimRow(name=name, value=value_text(value), origin=_origin(name, custom, constants))
        for name, value in claims.items()
    ]
    return TokenTable(
        title=_TITLES.get(kind, kind),
        audience=app.principal.display_name,
        rows=tuple(sorted(rows, key=lambda row: _ORDER.index(row.origin))),
        mapped=app.mapping is not None,
        for_graph=app is GRAPH,
    )


def _origin(name: str, custom: Mapping[str, object], constants: frozenset[str]) -> ClaimOrigin:
    if name not in custom:
        return "entra"
    return "policy" if name in constants else "endpoint"


def _constants(app: App, *, saml: bool) -> frozenset[str]:
    """Return the names of the claims that the policy adds itself."""
    if app.mapping is None:
        return frozenset()
    added = (entry for entry in app.mapping.entries if not entry.from_provider)
    return frozenset(target for entry in added if (target := entry.target("saml" if saml else "jwt")) is not None)
