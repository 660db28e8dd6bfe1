"""The attribute statement of a SAML sign-in, as data: who it is about, and what the mapping policy adds.

Source: entra-docs ``saml-claims-customization.md``, ``reference-claims-customization.md`` (``SamlClaimType``,
``SAMLNameFormat``), ``custom-extension-configure-saml-app.md`` (a claim without a value is left out); SAML 2.0 Core
2.7.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from selftest.entra.app_token import NAME_ID, assertion_claims
from selftest.signin.tenant.directory import App, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlAttribute:
    """One attribute.

    Attributes:
        name: Its name, mostly a URI.
        name_format: What kind of name that is; None leaves it unsaid, as Entra does by default.
        values: One or more.
    """

    name: str
    name_format: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeStatement:
    """What an assertion says of a user."""

    name_id: str
    attributes: tuple[SamlAttribute, ...]

    def as_claims(self) -> dict[str, object]:
        """Give it as names and values, for the log and for a page."""
        values = {
            found.name: found.values[0] if len(found.values) == 1 else list(found.values) for found in self.attributes
        }
        return {NAME_ID: self.name_id, **values}


def attribute_statement(person: Person, app: App, tenant_id: str, custom: Mapping[str, object]) -> AttributeStatement:
    """Build the statement of a user for an app; ``custom`` is what its policy makes of the extension's answer."""
    basic = app.mapping is None or app.mapping.include_basic_claim_set
    claims = assertion_claims(person.members, tenant_id, basic_claim_set=basic)
    name_id = str(claims.pop(NAME_ID))
    claims |= custom
    attributes = (
        SamlAttribute(name=name, name_format=app.name_formats.get(name), values=_values(value))
        for name, value in claims.items()
    )
    return AttributeStatement(name_id=name_id, attributes=tuple(found for found in attributes if found.values))


def _values(value: object) -> tuple[str, ...]:
    """Give the values of a claim; what is neither text nor a list of it was never a supported value."""
    if isinstance(value, list):
        return tuple(str(member) for member in value if member is not None)
    return (str(value),)
