"""The claims mapping policy: which claims of the endpoint's reply are added to the token.

Entra adds no returned claim to a token by itself. The policy of the application that is the token's audience names each
one, and may rename it. This module reads the policy in all its usual forms and applies the part for a custom claims
provider. Sources that Entra fills itself (``User``, ``Transformation``) are ignored: the harness has no directory.

Source: entra-docs ``custom-claims-provider-reference.md`` and ``reference-claims-customization.md``; Microsoft Graph
v1.0 ``claimsMappingPolicy``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from selftest.judge.restricted_claims import NAME_ID_CLAIM_TYPE, Restriction, TokenFormat, restriction

#: The source of a claim of the endpoint, as it is documented.
PROVIDER_SOURCE: Final = "CustomClaimsProvider"
#: The largest file of a policy that is read.
MAX_POLICY_BYTES: Final = 1 << 20
_RENAMED: Final = "custom_"

#: The member of an entry that names the claim, by the format of the token.
TARGET_MEMBERS: Final[Mapping[TokenFormat, str]] = {"jwt": "JwtClaimType", "saml": "SamlClaimType"}

#: Why a token of this format does not contain a claim that an entry maps.
type TargetFault = Restriction | Literal["name-id"]
TARGET_FAULTS: Final[Mapping[TargetFault, str]] = {
    "restricted": "is restricted: the claim is not put into the token",
    "needs-signing-key": "is restricted unless the application has a custom signing key",
    "name-id": "is the NameID: it cannot come from a custom claims provider",
}


class MappingError(ValueError):
    """A document is not a claims mapping policy. The message names what was expected and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingEntry:
    """One member of ``ClaimsSchema``.

    Attributes:
        source: The source of the value; None for a constant.
        id: The name of the claim in the endpoint's reply, case-sensitive.
        jwt_claim_type: The name of the claim in a JSON Web Token; None keeps ``id``.
        saml_claim_type: The name of the claim in a SAML assertion.
        value: The constant of an entry without a source.
    """

    source: str | None = None
    id: str | None = None
    jwt_claim_type: str | None = None
    saml_claim_type: str | None = None
    value: str | None = None

    @property
    def from_provider(self) -> bool:
        """Whether the endpoint supplies the value."""
        return self.source is not None and self.source.casefold() == PROVIDER_SOURCE.casefold()

    @property
    def names(self) -> Iterator[tuple[str, str]]:
        """Yield each member of the document that holds a name, with the name."""
        members = (("ID", self.id), ("JwtClaimType", self.jwt_claim_type), ("SamlClaimType", self.saml_claim_type))
        yield from ((member, name) for member, name in members if name is not None)

    def target(self, token: TokenFormat) -> str | None:
        """Return the claim's name in the token; None if the entry is not for this format."""
        if token == "saml":  # noqa: S105 - a format
            return self.saml_claim_type
        if self.jwt_claim_type is None and self.saml_claim_type is not None:
            return None
        return self.jwt_claim_type or self.id

    def target_fault(self, token: TokenFormat) -> TargetFault | None:
        """Return why a policy may not emit this entry's target, without regard to spaces around the name.

        ``name-id``: a custom claims provider's attribute cannot be the source of a SAML assertion's NameID.
        """
        target = (self.target(token) or "").strip()
        if token == "saml" and target == NAME_ID_CLAIM_TYPE and self.from_provider:  # noqa: S105 - a format
            return "name-id"
        return restriction(target, token)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPolicy:
    """A claims mapping policy.

    Attributes:
        entries: In the order of the document.
        include_basic_claim_set: Whether the token keeps its ordinary claims.
    """

    entries: tuple[MappingEntry, ...]
    include_basic_claim_set: bool = True

    @classmethod
    def parse(cls, document: str | bytes | Mapping[str, Any]) -> Self:
        """Parse a policy.

        Accepted are the policy object as Graph returns it, a Graph collection that holds exactly one, an object with
        only ``definition``, and the inner object with ``ClaimsMappingPolicy``; as text, UTF-8 bytes or parsed.

        Raises:
            MappingError: The document has another form, or a member does not have the documented type.
        """
        inner = _inner(_loads(document, "the policy") if isinstance(document, str | bytes) else document)
        schema = inner.get("ClaimsSchema", [])
        if not isinstance(schema, list):
            raise MappingError(f"ClaimsSchema should be a list of objects, it is {_kind(schema)}")
        return cls(
            entries=tuple(_entry(position, member) for position, member in enumerate(schema)),
            include_basic_claim_set=_flag(inner.get("IncludeBasicClaimSet", True)),
        )

    @classmethod
    def under_own_names(cls, names: Iterable[str]) -> Self:
        """Return the policy that is assumed without one: each claim keeps its name."""
        return cls(
            entries=tuple(
                MappingEntry(source=PROVIDER_SOURCE, id=name, jwt_claim_type=name, saml_claim_type=name)
                for name in names
            )
        )

    @property
    def provided(self) -> tuple[MappingEntry, ...]:
        """Return the entries whose value the endpoint supplies."""
        return tuple(entry for entry in self.entries if entry.from_provider)

    def apply(self, claims: Mapping[str, object], *, token: TokenFormat = "jwt") -> dict[str, object]:  # noqa: S107 - a kind of token, not a secret
        """Return the custom part of the token that the application would get.

        A claim that is absent, null or spelled in another case is not mapped. A target that the policy may not emit is
        omitted; the application is assumed to have no custom signing key.
        """
        custom: dict[str, object] = {}
        for entry in self.entries:
            target = entry.target(token)
            if target is None or entry.target_fault(token) is not None:
                continue
            value = claims.get(entry.id or "") if entry.from_provider else entry.value
            if value is not None:
                custom[target] = value
        return custom


def name_in_token(claim: str, token: TokenFormat = "jwt") -> str:  # noqa: S107 - a kind of token, not a secret
    """Return a target for a returned claim: its own name, or a new one where a policy may not emit that."""
    (entry,) = MappingPolicy.under_own_names([claim]).entries
    return claim.strip() if entry.target_fault(token) is None else f"{_RENAMED}{claim.strip()}"


def member_for(claim: str, token: TokenFormat) -> str:
    """Return the member of an entry that names a returned claim in the token, as JSON."""
    return f'"{TARGET_MEMBERS[token]}": {json.dumps(name_in_token(claim, token))}'


def entry_for(claim: str, token: TokenFormat) -> str:
    """Return the entry of ``ClaimsSchema`` that adds a returned claim to the token, as JSON."""
    return f'{{"Source": "{PROVIDER_SOURCE}", "ID": {json.dumps(claim)}, {member_for(claim, token)}}}'


def _loads(text: str | bytes, what: str) -> Any:
    if not text.strip():
        raise MappingError(f"{what} is empty; was it written completely?")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise MappingError(f"{what} should be JSON, it is nested too deeply to read") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are both of this kind
        raise MappingError(f"{what} should be JSON, it is not: {error}") from error


def _inner(document: object) -> Mapping[str, Any]:
    members = _object(document, "the policy")
    if "value" in members:
        found = members["value"]
        if not isinstance(found, list) or len(found) != 1:
            count = len(found) if isinstance(found, list) else _kind(found)
            raise MappingError(f"a collection should hold exactly one policy, this one holds {count}: pass one alone")
        members = _object(found[0], "the policy in the collection")
    if "definition" in members:
        members = _object(_definition(members["definition"]), "the text in definition")
    if "ClaimsMappingPolicy" not in members:
        raise MappingError(f"ClaimsMappingPolicy should be a member of the policy, it has {_names(members)}")
    return _object(members["ClaimsMappingPolicy"], "ClaimsMappingPolicy")


def _definition(definition: object) -> Any:
    """Return the document inside ``definition``: Graph requires a list of exactly one string that is itself JSON."""
    if not isinstance(definition, list):
        raise MappingError(f"definition should be a list of one string, it is {_kind(definition)}")
    if len(definition) != 1 or not isinstance(definition[0], str):
        held = ", ".join(_kind(member) for member in definition) or "nothing"
        raise MappingError(f"definition should hold exactly one string, it holds {held}")
    return _loads(definition[0], "the text in definition")


def _entry(position: int, member: object) -> MappingEntry:
    where = f"ClaimsSchema[{position}]"
    fields = _object(member, where)

    def text(name: str) -> str | None:
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            raise MappingError(f"{where}.{name} should be a string, it is {_kind(value)}")
        return value

    entry = MappingEntry(
        source=text("Source"),
        id=text("ID"),
        jwt_claim_type=text("JwtClaimType"),
        saml_claim_type=text("SamlClaimType"),
        value=text("Value"),
    )
    if entry.from_provider and not entry.id:
        raise MappingError(f"{where}.ID should name the returned claim, the entry has {_names(fields)}")
    return entry


def _flag(value: object) -> bool:
    """Return Graph's boolean, which is usually written as text."""
    text = str(value).casefold()
    if text not in {"true", "false"}:
        raise MappingError(f'IncludeBasicClaimSet should be "true" or "false", it is {text[:40]!r}')
    return text == "true"


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MappingError(f"{what} should be an object, it is {_kind(value)}")
    return value


def _names(members: Mapping[str, Any]) -> str:
    return ", ".join(sorted(members)) or "no members"


def _kind(value: object) -> str:
    kinds = {type(None): "null", bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")
