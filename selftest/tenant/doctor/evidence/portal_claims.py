"""The portal's Attributes & Claims of an application: Graph's ``customClaimsPolicy``, read as a mapping policy.

Source: microsoft-graph-docs beta ``customClaimsPolicy``, ``customClaim``, ``customClaimConfiguration``,
``sourcedAttribute`` and the transformations; entra-docs ``claims-customization-custom-claims-policy.md``. No page says
how the source of a custom claims provider is written there, so a source that is neither a documented one nor the
``CustomClaimsProvider`` of a claims mapping policy is unknown and proves nothing.
"""

from collections.abc import Iterator
from typing import Final

from selftest.judge.mapping import PROVIDER_SOURCE, MappingEntry, MappingPolicy
from selftest.judge.restricted_claims import NAME_ID_CLAIM_TYPE
from selftest.judge.warnings import shown
from selftest.tenant.doctor.evidence.graph_model import GraphModel

#: The documented sources of a ``sourcedAttribute``.
_SOURCES: Final = frozenset({"user", "application", "resource", "audience", "company"})
_FORMATS: Final = frozenset({"jwt", "saml"})
_NAME_ID: Final = "#microsoft.graph.samlNameIdClaim"
#: The portal shows a provider's attribute as ``customclaimsprovider.DateOfBirth``.
_PREFIX: Final = f"{PROVIDER_SOURCE.casefold()}."


class _Attribute(GraphModel, frozen=True):
    """Where a value comes from; a constant has no source."""

    id: str = ""
    source: str = ""


class _Input(GraphModel, frozen=True):
    attribute: _Attribute = _Attribute()


class _Transformation(GraphModel, frozen=True):
    input: _Input = _Input()
    input2: _Input = _Input()
    output: _Input = _Input()
    additional_attributes: tuple[_Attribute, ...] = ()


class _Configuration(GraphModel, frozen=True):
    attribute: _Attribute = _Attribute()
    transformations: tuple[_Transformation, ...] = ()

    @property
    def attributes(self) -> Iterator[_Attribute]:
        """Yield what the value is made of."""
        yield self.attribute
        for one in self.transformations:
            yield from (one.input.attribute, one.input2.attribute, one.output.attribute, *one.additional_attributes)


class _Claim(GraphModel, frozen=True):
    name: str = ""
    namespace: str = ""
    token_format: tuple[str, ...] = ()
    configurations: tuple[_Configuration, ...] = ()

    @property
    def entries(self) -> Iterator[MappingEntry]:
        """Yield an entry for each attribute of the claim, each once."""
        jwt_name, saml_name = self._names
        for each in dict.fromkeys(each for one in self.configurations for each in one.attributes if each.source):
            source, name = each.source, each.id
            if source.casefold() == PROVIDER_SOURCE.casefold():
                source = PROVIDER_SOURCE
                name = name[len(_PREFIX) :] if name.casefold().startswith(_PREFIX) else name
            yield MappingEntry(source=source, id=name, jwt_claim_type=jwt_name, saml_claim_type=saml_name)

    @property
    def _names(self) -> tuple[str | None, str | None]:
        """Return its name in a JSON Web Token and in a SAML assertion; None where it is not for that format."""
        if self.odata_type == _NAME_ID:
            return None, NAME_ID_CLAIM_TYPE
        formats = {each.lower() for each in self.token_format}
        # Without a format, or with one that is not documented, it may be in every token.
        anywhere = not formats or not formats <= _FORMATS
        saml_name = f"{self.namespace.rstrip('/')}/{self.name}" if self.namespace else self.name
        return self.name if anywhere or "jwt" in formats else None, saml_name if anywhere or "saml" in formats else None


class PortalClaims(GraphModel, frozen=True):
    """All claims that the portal adds to the tokens of an application."""

    claims: tuple[_Claim, ...] = ()

    @property
    def mapping(self) -> MappingPolicy:
        """Return what it maps, as a claims mapping policy would."""
        return MappingPolicy(entries=tuple(entry for claim in self.claims for entry in claim.entries))

    @property
    def unknown(self) -> str | None:
        """Return what cannot be judged: a claim whose source is not in the file, or is not a documented one."""
        for claim in self.claims:
            if not claim.configurations:
                return (
                    f"where claim {shown(claim.name)} comes from (configurations) was not read: export the tenant again"
                )
            for entry in claim.entries:
                if (entry.source or "").casefold() not in _SOURCES and not entry.from_provider:
                    return (
                        f"claim {shown(claim.name)} has the source {shown(entry.source or '')}, which no page documents"
                    )
        return None
