"""The objects of a tenant that the doctor examines, by kind.

A list that could not be read is None, which is not the same as an empty one: nothing is concluded from a list that was
not read.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, get_args

from msgspec import field

from selftest.tenant.doctor.evidence.app_objects import ApplicationObject, PolicyObject, PrincipalObject
from selftest.tenant.doctor.evidence.graph_model import GraphModel, ObjectId, read_model
from selftest.tenant.doctor.evidence.wiring_objects import ExtensionObject, ListenerObject

type ListName = Literal[
    "customAuthenticationExtensions",
    "authenticationEventListeners",
    "applications",
    "servicePrincipals",
    "claimsMappingPolicies",
]

LISTS: Final[tuple[ListName, ...]] = get_args(ListName.__value__)


class _Domain(GraphModel, frozen=True):
    name: str = ""


class _Organization(GraphModel, frozen=True):
    id: ObjectId = ObjectId()
    tenant_type: str | None = None
    verified_domains: tuple[_Domain, ...] | None = None


class TenantObjects(GraphModel, frozen=True):
    """All that was read of a tenant.

    Attributes:
        unread: Why a list is None.
    """

    extensions: tuple[ExtensionObject, ...] | None = field(default=None, name="customAuthenticationExtensions")
    listeners: tuple[ListenerObject, ...] | None = field(default=None, name="authenticationEventListeners")
    applications: tuple[ApplicationObject, ...] | None = None
    principals: tuple[PrincipalObject, ...] | None = field(default=None, name="servicePrincipals")
    policies: tuple[PolicyObject, ...] | None = field(default=None, name="claimsMappingPolicies")
    organization: tuple[_Organization, ...] = ()
    unread: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it

    @classmethod
    def read(cls, document: Mapping[str, Any], unread: Mapping[ListName, str] | None = None) -> "TenantObjects":
        """Read the form of ``doctor --file``: lists of Graph's objects by name.

        Raises:
            ShapeError: A member has another type than Graph gives it.
        """
        reasons = {name: "the file has no such list" for name in LISTS if document.get(name) is None}
        return read_model(cls, {**document, "unread": reasons | dict(unread or {})}, "the file")

    @property
    def tenant_id(self) -> str | None:
        """Return the tenant's id, or None where no object that was read has it."""
        return next((one.id for one in self.organization), "") or None

    @property
    def external(self) -> bool | None:
        """Whether it is a tenant for customers; None where that was not read."""
        kind = next((one.tenant_type for one in self.organization), None)
        return None if kind is None else kind.upper() == "CIAM"

    @property
    def verified_domains(self) -> frozenset[str] | None:
        """Return the verified domains in lower case; None where they were not read."""
        domains = next((one.verified_domains for one in self.organization), None)
        return None if domains is None else frozenset(domain.name.lower() for domain in domains)

    def application(self, app_id: str | None) -> ApplicationObject | None:
        """Return the app registration with a client id."""
        return _by_app_id(self.applications or (), app_id)

    def principal(self, app_id: str | None) -> PrincipalObject | None:
        """Return the service principal with a client id."""
        return _by_app_id(self.principals or (), app_id)

    def extension(self, extension_id: str) -> ExtensionObject | None:
        """Return the extension with an id."""
        return next((one for one in self.extensions or () if one.id == extension_id), None)

    def policy(self, policy_id: str) -> PolicyObject | None:
        """Return the policy with an id."""
        return next((one for one in self.policies or () if one.id == policy_id), None)


def _by_app_id[T: (ApplicationObject, PrincipalObject)](objects: Iterable[T], app_id: str | None) -> T | None:
    return next((one for one in objects if app_id and one.app_id == app_id), None)
