"""The token that the app gets, claim by claim, with those marked that came from the endpoint.

Who put a claim there is told by the record: what the mapping policy took from the reply, what it added by itself, and
everything else, which is Entra's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from selftest.playground.html.readable import value_text
from selftest.signin.sign_in_log import SignInRecord
from selftest.signin.tenant.directory import GRAPH, App

type Origin = Literal["endpoint", "policy", "entra"]

_TITLES: Final[Mapping[str, str]] = {
    "id_token": "The id token",
    "access_token": "The access token",
    "saml": "The SAML assertion",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """One claim of a token, and who put it there."""

    name: str
    value: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTable:
    """One token, decoded; its compact form is nowhere.

    Attributes:
        title: what it is.
        audience: the app that it is for.
        rows: its claims; the endpoint's first, because they are what the reader looks for.
        mapped: whether the app has a claims mapping policy at all.
        of_microsoft: whether it is for Microsoft Graph, whose tokens get no custom claims.
    """

    title: str
    audience: str
    rows: tuple[ClaimRow, ...]
    mapped: bool
    of_microsoft: bool

    @property
    def from_endpoint(self) -> int:
        """Count the claims that came from the endpoint."""
        return sum(row.origin == "endpoint" for row in self.rows)


def token_tables(record: SignInRecord) -> list[TokenTable]:
    """Lay out every token of a sign-in."""
    return [_table(kind, claims, record) for kind, claims in record.minted.items()]


def _table(kind: str, claims: Mapping[str, object], record: SignInRecord) -> TokenTable:
    app = record.resource if kind == "access_token" else record.client
    custom = record.custom_claims.get(kind, {})
    constants = _constants(app, saml=kind == "saml")
    rows = [
        ClaimRow(name=name, value=value_text(value), origin=_origin(name, custom, constants))
        for name, value in claims.items()
    ]
    order: dict[Origin, int] = {"endpoint": 0, "policy": 1, "entra": 2}
    return TokenTable(
        title=_TITLES.get(kind, kind),
        audience=app.principal.display_name,
        rows=tuple(sorted(rows, key=lambda row: order[row.origin])),
        mapped=app.mapping is not None,
        of_microsoft=app is GRAPH,
    )


def _origin(name: str, custom: Mapping[str, object], constants: frozenset[str]) -> Origin:
    if name not in custom:
        return "entra"
    return "policy" if name in constants else "endpoint"


def _constants(app: App, *, saml: bool) -> frozenset[str]:
    """Name what the policy adds by itself."""
    if app.mapping is None:
        return frozenset()
    added = (entry for entry in app.mapping.entries if not entry.from_provider)
    return frozenset(target for entry in added if (target := entry.target("saml" if saml else "jwt")) is not None)
