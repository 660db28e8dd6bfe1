"""Warnings about what keeps a returned claim out of the token: the claims mapping policy and the registered names.

=====================  =============================================================================================
kind                   meaning
=====================  =============================================================================================
unmapped-claim         the mapping policy does not name the claim; also ``wrong-case`` and ``not-returned``
misspelt-source        the source of an entry is not a documented one; also ``source-case``
wrong-protocol         an entry has no target for the format of the application's token
duplicate-entry        a claim is mapped twice, or two entries have one target
mapping-space          a name in the policy starts or ends with a space
restricted-name        the policy's JwtClaimType or SamlClaimType is a name that a policy may not emit
name-id                the policy uses a claim of the endpoint as NameID
not-registered         not in ``claimsForTokenConfiguration``; also ``registered-case``
=====================  =============================================================================================
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from selftest.judge.mapping import (
    PROVIDER_SOURCE,
    TARGET_FAULTS,
    TARGET_MEMBERS,
    MappingEntry,
    MappingPolicy,
    entry_for,
    member_for,
)
from selftest.judge.restricted_claims import TokenFormat
from selftest.judge.warnings import ReplyWarning, shown

#: Entra-docs ``reference-claims-customization.md`` and, for the last, ``custom-claims-provider-reference.md``.
_SOURCES: Final = ("user", "application", "resource", "audience", "company", "transformation", PROVIDER_SOURCE)
_SEPARATORS: Final = re.compile(r"[\W_]+")
#: What keeps a claim out of the token, and, last, what may be as it is meant. All others come between.
_FIRST: Final = frozenset({
    "unmapped-claim", "wrong-case", "misspelt-source", "wrong-protocol", "restricted-name", "name-id"
})  # fmt: skip
_LAST: Final = frozenset({"not-returned", "not-registered", "registered-case"})
TOKEN_NAMES: Final[Mapping[TokenFormat, str]] = {"jwt": "a JSON Web Token", "saml": "a SAML assertion"}


def by_weight(warning: ReplyWarning) -> int:
    """Return the sort key of warnings: what keeps claims out of the token comes first."""
    return 0 if warning.kind in _FIRST else 2 if warning.kind in _LAST else 1


def mapping_warnings(
    claims: Mapping[str, object], mapping: MappingPolicy, token: TokenFormat
) -> Iterator[ReplyWarning]:
    """Yield the differences between the returned claims and the policy, and the entries that do not work."""
    mapped = {entry.id for entry in mapping.provided if entry.id is not None}
    meant = {entry.id for entry in mapping.entries if entry.id is not None and is_for_provider(entry)}
    for name in claims:
        near = _near(name, meant)
        if near is None:
            message = f"the policy does not name {shown(name)}: it never reaches the token; add the entry "
            yield ReplyWarning(kind="unmapped-claim", claim=name, message=message + entry_for(name, token))
        elif near != name:
            message = f"the policy names {shown(near)}, the reply {shown(name)}: they must be identical"
            yield ReplyWarning(kind="wrong-case", claim=name, message=message)
    for name in sorted(mapped):
        if _near(name, set(claims)) is None:
            message = f"the policy names {shown(name)}, which the reply does not contain"
            yield ReplyWarning(kind="not-returned", claim=name, message=message)
    yield from entry_warnings(mapping, token)
    for entry in mapping.entries:
        yield from _name_warnings(entry)


def registered_warnings(claims: Mapping[str, object], registered: frozenset[str]) -> Iterator[ReplyWarning]:
    """Yield the differences from the extension's ``claimsForTokenConfiguration``, which the portal offers."""
    for name in claims:
        near = _near(name, registered)
        if near is None:
            message = f"{shown(name)} is not in claimsForTokenConfiguration, so the portal does not offer it"
            yield ReplyWarning(kind="not-registered", claim=name, message=message)
        elif near != name:
            message = f"claimsForTokenConfiguration has {shown(near)}, the reply {shown(name)}: the case differs"
            yield ReplyWarning(kind="registered-case", claim=name, message=message)


def entry_warnings(mapping: MappingPolicy, token: TokenFormat) -> Iterator[ReplyWarning]:
    """Yield the entries that do not do what they seem to: misspelt sources, wrong protocol, duplicates.

    Args:
        mapping: The policy.
        token: The format of the application's token.
    """
    by_claim: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    by_target: defaultdict[str, list[str]] = defaultdict(list)
    for entry in mapping.entries:
        yield from _source_warnings(entry)
        if (target := entry.target(token)) is not None:
            by_target[target].append(entry.id or "a constant")
            if entry.source is not None and entry.id is not None:
                by_claim[entry.source.casefold(), entry.id].add(target)
    for entry in mapping.entries:
        if entry.target(token) is None and ((entry.source or "").casefold(), entry.id) not in by_claim:
            yield _wrong_protocol(entry, token)
    for target, names in by_target.items():
        if len(names) > 1:
            message = f"{len(names)} entries of the policy have the target {shown(target)}; which of them counts is not"
            yield ReplyWarning(kind="duplicate-entry", claim=names[-1], message=f"{message} documented: keep one")
    for (_, name), targets in by_claim.items():
        if len(targets) > 1:
            message = f"the policy maps {shown(name)} to {' and '.join(map(shown, sorted(targets)))}"
            message += "; whether the token gets each of them is not documented: keep one"
            yield ReplyWarning(kind="duplicate-entry", claim=name, message=message)


def is_for_provider(entry: MappingEntry) -> bool:
    """Whether the source of an entry is ``CustomClaimsProvider``, however it is spelt."""
    return entry.source is not None and _documented(entry.source) == PROVIDER_SOURCE


def _documented(source: str) -> str | None:
    """Return the documented source that a text is or resembles, without regard to case and separators."""
    known = {name.casefold(): name for name in _SOURCES}
    near = get_close_matches(_SEPARATORS.sub("", source.casefold()), known, n=1)
    return known[near[0]] if near else None


def _source_warnings(entry: MappingEntry) -> Iterator[ReplyWarning]:
    source = entry.source
    if source is None or source == PROVIDER_SOURCE or source.casefold() in _SOURCES:
        return
    said = f"Source {shown(source)} in the policy"
    if entry.from_provider:
        message = f"{said} is documented as {PROVIDER_SOURCE}; whether Entra accepts another case is not"
        yield ReplyWarning(kind="source-case", claim=entry.id, message=message)
    else:
        meant = _documented(source) or f"one of {', '.join(_SOURCES)}"
        name = shown(entry.id or "")
        message = f"{said} is not a documented source, so {name} never reaches the token: write {meant}"
        yield ReplyWarning(kind="misspelt-source", claim=entry.id, message=message)


def _wrong_protocol(entry: MappingEntry, token: TokenFormat) -> ReplyWarning:
    name = entry.id or entry.target("jwt") or entry.target("saml") or ""
    message = (
        f"the policy's entry of {shown(name)} has no {TARGET_MEMBERS[token]}: "
        f"{TOKEN_NAMES[token]} does not get the claim; add {member_for(name, token)} to the entry"
    )
    return ReplyWarning(kind="wrong-protocol", claim=entry.id, message=message)


def _name_warnings(entry: MappingEntry) -> Iterator[ReplyWarning]:
    for member, name in entry.names:
        if name != name.strip():
            message = f"{member} {shown(name)} in the policy starts or ends with a space"
            yield ReplyWarning(kind="mapping-space", claim=entry.id, message=message)
    for token, member in TARGET_MEMBERS.items():
        fault = entry.target_fault(token)
        if fault is not None:
            message = f"the policy's target {shown(entry.target(token) or '')} ({member}) {TARGET_FAULTS[fault]}"
            kind = "name-id" if fault == "name-id" else "restricted-name"
            yield ReplyWarning(kind=kind, claim=entry.id, message=message)


def _near(name: str, names: frozenset[str] | set[str]) -> str | None:
    """Return the name itself, or else one that differs only by case or outer spaces."""
    if name in names:
        return name
    folded = name.strip().casefold()
    return next((other for other in sorted(names) if other.strip().casefold() == folded), None)
