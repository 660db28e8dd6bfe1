"""What decides whether Entra calls: the extension, which names the endpoint, and the listener, which names that.

Source: microsoft-graph-docs v1.0 ``onTokenIssuanceStartCustomExtension``, ``onTokenIssuanceStartListener``,
``customExtensionClientConfiguration``, ``customExtensionOverwriteConfiguration``.
"""

from dataclasses import dataclass
from typing import Final, Self

from selftest.tenant.doctor.evidence.members import Members
from selftest.tenant.doctor.evidence.resource import ResourceId, app_id_in, host_of

EXTENSION_KIND: Final = "#microsoft.graph.onTokenIssuanceStartCustomExtension"
LISTENER_KIND: Final = "#microsoft.graph.onTokenIssuanceStartListener"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """How Entra calls: ``clientConfiguration`` of an extension, or of a listener that overrides it.

    Attributes:
        timeout_ms: of one attempt; None where it is not set.
        retries: after the first attempt; None where it is not set.
    """

    timeout_ms: int | None = None
    retries: int | None = None

    @classmethod
    def read(cls, configuration: Members) -> Self:
        """Read ``clientConfiguration``, which may be absent."""
        client = configuration.part("clientConfiguration")
        return cls(timeout_ms=client.number("timeoutInMilliseconds"), retries=client.number("maximumRetries"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A custom authentication extension.

    Attributes:
        kind: its ``@odata.type``.
        claim_names: ``claimsForTokenConfiguration``, which feeds the portal's picker.
    """

    id: str
    kind: str | None
    name: str | None
    target_url: str | None
    resource_id: str | None
    call: CallSettings
    claim_names: tuple[str, ...]

    @classmethod
    def read(cls, members: Members) -> Self:
        """Read one of Graph's."""
        claims = members.parts("claimsForTokenConfiguration") or ()
        return cls(
            id=members.guid("id"),
            kind=members.text("@odata.type"),
            name=members.text("displayName"),
            target_url=members.part("endpointConfiguration").text("targetUrl"),
            resource_id=members.part("authenticationConfiguration").text("resourceId"),
            call=CallSettings.read(members),
            claim_names=tuple(name for claim in claims if (name := claim.text("claimIdInApiResponse"))),
        )

    @property
    def for_token_issuance(self) -> bool:
        """Say whether it is of our event; an object without a type may be."""
        return self.kind in {None, EXTENSION_KIND}

    @property
    def host(self) -> str | None:
        """Give the host of the target URL."""
        return host_of(self.target_url)

    @property
    def resource(self) -> ResourceId | None:
        """Give the resource id, where it is of the documented form."""
        return ResourceId.parse(self.resource_id)

    @property
    def api_app_id(self) -> str | None:
        """Give the application id that the resource id names, also where the rest of it is malformed."""
        return app_id_in(self.resource_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """An event listener.

    Attributes:
        extension_id: what its handler calls; empty where it names nothing.
        extension_kind: the type of what Graph expanded there; None where it expanded nothing.
        override: how Entra calls for this listener, where it differs.
        app_ids: the applications whose tokens it is about.
        includes_all: ``includeAllApplications``, which only beta has.
    """

    id: str
    kind: str | None
    name: str | None
    extension_id: str
    extension_kind: str | None
    override: CallSettings
    app_ids: frozenset[str]
    includes_all: bool

    @classmethod
    def read(cls, members: Members) -> Self:
        """Read one of Graph's."""
        handler = members.part("handler")
        called = handler.part("customExtension")
        applications = members.part("conditions").part("applications")
        return cls(
            id=members.guid("id"),
            kind=members.text("@odata.type"),
            name=members.text("displayName"),
            extension_id=called.guid("id"),
            extension_kind=called.text("@odata.type"),
            override=CallSettings.read(handler.part("configuration")),
            app_ids=frozenset(app.guid("appId") for app in applications.parts("includeApplications") or ()),
            includes_all=applications.flag("includeAllApplications") or False,
        )

    @property
    def for_token_issuance(self) -> bool:
        """Say whether it listens for our event; an object without a type may."""
        return self.kind in {None, LISTENER_KIND}

    def call(self, extension: Extension) -> CallSettings:
        """Give the call settings that hold: the listener's where it has them, else the extension's."""
        mine, theirs = self.override, extension.call
        return CallSettings(
            timeout_ms=theirs.timeout_ms if mine.timeout_ms is None else mine.timeout_ms,
            retries=theirs.retries if mine.retries is None else mine.retries,
        )
