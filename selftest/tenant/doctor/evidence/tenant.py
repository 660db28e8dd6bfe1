"""The tenant as the doctor looks at it: Graph's objects by kind, cut to what a statement is about.

A list that could not be read is None, which is not the same as an empty one: nothing is concluded from what was not
seen. Ids are in lower case, because Graph writes them so and people do not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from selftest.tenant.doctor.evidence.app_objects import Application, Policy, Principal
from selftest.tenant.doctor.evidence.members import Members
from selftest.tenant.doctor.evidence.wiring_objects import Extension, Listener

type ListName = Literal[
    "customAuthenticationExtensions",
    "authenticationEventListeners",
    "applications",
    "servicePrincipals",
    "claimsMappingPolicies",
]

LISTS: Final[tuple[ListName, ...]] = (
    "customAuthenticationExtensions",
    "authenticationEventListeners",
    "applications",
    "servicePrincipals",
    "claimsMappingPolicies",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """All that was read of a tenant.

    Attributes:
        tenant_id: None where nothing that was read says it.
        external: whether it is a tenant for customers; None where that was not read.
        verified_domains: in lower case; None where they were not read.
        unread: why a list is None.
    """

    extensions: tuple[Extension, ...] | None
    listeners: tuple[Listener, ...] | None
    applications: tuple[Application, ...] | None
    principals: tuple[Principal, ...] | None
    policies: tuple[Policy, ...] | None
    tenant_id: str | None = None
    external: bool | None = None
    verified_domains: frozenset[str] | None = None
    unread: Mapping[ListName, str] = field(default_factory=dict)

    @classmethod
    def read(cls, document: Mapping[str, Any], unread: Mapping[ListName, str] | None = None) -> Self:
        """Read the form of ``doctor --file``: lists of Graph's objects by name.

        Raises:
            ShapeError: A member has another type than Graph gives it.
        """
        root = Members(document, "the file")

        def listed[T](name: ListName, read: Callable[[Members], T]) -> tuple[T, ...] | None:
            found = root.parts(name)
            return None if found is None else tuple(map(read, found))

        organizations = root.parts("organization") or ()
        organization = organizations[0] if organizations else Members({}, "organization")
        kind = organization.text("tenantType")
        domains = organization.parts("verifiedDomains")
        reasons: dict[ListName, str] = {
            name: "the file has no such list" for name in LISTS if document.get(name) is None
        }
        return cls(
            extensions=listed("customAuthenticationExtensions", Extension.read),
            listeners=listed("authenticationEventListeners", Listener.read),
            applications=listed("applications", Application.read),
            principals=listed("servicePrincipals", Principal.read),
            policies=listed("claimsMappingPolicies", Policy.read),
            tenant_id=organization.guid("id") or None,
            external=None if kind is None else kind.upper() == "CIAM",
            verified_domains=None if domains is None else frozenset((d.text("name") or "").lower() for d in domains),
            unread=reasons | dict(unread or {}),
        )

    def application(self, app_id: str | None) -> Application | None:
        """Find an app registration by its client id."""
        return _by_app_id(self.applications or (), app_id)

    def principal(self, app_id: str | None) -> Principal | None:
        """Find a service principal by its client id."""
        return _by_app_id(self.principals or (), app_id)

    def extension(self, extension_id: str) -> Extension | None:
        """Find an extension by its id."""
        return next((one for one in self.extensions or () if one.id == extension_id), None)

    def policy(self, policy_id: str) -> Policy | None:
        """Find a policy by its id."""
        return next((one for one in self.policies or () if one.id == policy_id), None)


def _by_app_id[T: (Application, Principal)](objects: Iterable[T], app_id: str | None) -> T | None:
    return next((one for one in objects if app_id and one.app_id == app_id), None)
