"""The attribute statement of a SAML sign-in, as data: the user's attributes and the mapped custom claims.

Source: entra-docs ``saml-claims-customization.md``, ``reference-claims-customization.md`` (``SamlClaimType``,
``SAMLNameFormat``), ``custom-extension-configure-saml-app.md`` (a claim without a value is omitted); SAML 2.0 Core
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
        name: Its name, usually a URI.
        name_format: The format of the name; None omits it, as Entra does by default.
    """

    name: str
    name_format: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeStatement:
    """What an assertion states about a user."""

    name_id: str
    attributes: tuple[SamlAttribute, ...]

    def as_claims(self) -> dict[str, object]:
        """Return names and values, for the log and for a page."""
        values = {
            found.name: found.values[0] if len(found.values) == 1 else list(found.values) for found in self.attributes
        }
        return {NAME_ID: self.name_id, **values}


def attribute_statement(person: Person, app: App, tenant_id: str, custom: Mapping[str, object]) -> AttributeStatement:
    """Return the statement about a user for an app; ``custom`` are the claims that its policy maps."""
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
    """Return the values of a claim; only text and lists of text are supported values."""
    if isinstance(value, list):
        return tuple(str(member) for member in value if member is not None)
    return (str(value),)
