"""Where a captured request differs from the emulated one, as a report that holds no value.

The emulated request is each of the documented varieties of user and app: a member that only some of them have may be
missing in a real one, and a form that one of them has is right.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from selftest.base.printable import visible
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra import key_store
from selftest.entra.key_store import process_keys
from selftest.entra.payloads import VARIETIES
from selftest.entra.signing import KeySet
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.play.captured_request import CapturedRequest, Forms, forms, token_forms

_AUTHORITY: Final = f"https://login.microsoftonline.com/{DEFAULT_TENANT.tenant_id}"
_HEADERS: Final[Forms] = {"authorization": "a bearer token", "content-type": "'application/json'"}
_MAX_SHOWN: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDifference:
    """One member in which the two differ.

    Attributes:
        captured: Its form in the captured request; None where that does not have it.
        emulated: Its forms in the emulated one; None where that never has it.
    """

    part: str
    path: str
    captured: str | None
    emulated: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalloutComparison:
    """The result: the differences, and what the request was compared as."""

    differences: tuple[MemberDifference, ...]
    alike: int
    missing_parts: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield the report, in Markdown."""
        yield "# A captured callout next to the emulated one"
        yield ""
        yield "Values were masked when the file was read: this report holds names and kinds of values only."
        for part in self.missing_parts:
            yield f"Not compared, because it was not captured or cannot be decoded: {part}."
        if self.differences:
            yield from ("", "| part | member | captured | emulated |", "|---|---|---|---|")
        for each in self.differences:
            cells = (each.part, each.path, each.captured or "absent", each.emulated or "absent")
            yield f"| {' | '.join(map(_cell, cells))} |"
        count = len(self.differences)
        yield ""
        yield f"{'FAIL' if count else 'PASS'}  {self.alike} members alike, {count} different"


def compare(request: CapturedRequest) -> CalloutComparison:
    """Compare a captured request with the emulated ones."""
    parts: dict[str, tuple[Forms, list[Forms]]] = {
        "headers": (request.headers, [_HEADERS]),
        "token": (request.token, _tokens("1.0" if request.token.get("claims.ver") == "'1.0'" else "2.0")),
        "body": (request.body, [forms(one.build(DEFAULT_TENANT, DEFAULT_TENANT.listener_id)) for one in VARIETIES]),
    }
    compared = {name: pair for name, pair in parts.items() if pair[0]}
    found = [each for name, (ours, emulated) in compared.items() for each in _differences(name, ours, emulated)]
    total = sum(len(ours.keys() | _always(emulated)) for ours, emulated in compared.values())
    return CalloutComparison(
        differences=tuple(found),
        alike=total - len(found),
        missing_parts=tuple(name for name in parts if name not in compared),
    )


def _tokens(version: EntraVersion) -> list[Forms]:
    """Return the forms of the documented tokens: of both kinds of tenant, and in version 1 with either audience."""
    keys, tenant_id = KeySet(process_keys().rsa(key_store.TENANT)), DEFAULT_TENANT.tenant_id
    issuers = (None, f"https://{tenant_id}.ciamlogin.com/{tenant_id}/v2.0")
    mints = [TokenMint(DEFAULT_TENANT, _AUTHORITY, keys, time.time, issuer_v2=issuer) for issuer in issuers]
    tokens = [mint.callout_token(version) for mint in mints]
    if version == "1.0":
        tokens.append(mints[0].callout_token(version, aud=f"api://claims.sample.example/{tenant_id}"))
    return [token_forms(token) for token in tokens]


def _differences(part: str, captured: Forms, emulated: list[Forms]) -> Iterator[MemberDifference]:
    for path in sorted(captured.keys() | _always(emulated)):
        known = {one[path] for one in emulated if path in one}
        ours = captured.get(path)
        # A member that is null says what an absent one says.
        if ours in known or (ours == "null" and path not in _always(emulated)):
            continue
        yield MemberDifference(part=part, path=path, captured=ours, emulated=" or ".join(sorted(known)) or None)


def _always(emulated: Iterable[Mapping[str, str]]) -> set[str]:
    """Return the members that each of the emulated requests has."""
    return set.intersection(*(set(one) for one in emulated))


def _cell(text: str) -> str:
    return visible(text)[:_MAX_SHOWN].replace("|", "\\|").replace("\n", " ")
