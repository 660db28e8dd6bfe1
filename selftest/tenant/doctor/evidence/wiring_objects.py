"""The objects that decide whether Entra calls: the extension names the endpoint, the listener names the extension.

Source: microsoft-graph-docs v1.0 ``onTokenIssuanceStartCustomExtension``, ``onTokenIssuanceStartListener``,
``customExtensionClientConfiguration``, ``customExtensionOverwriteConfiguration``.
"""

from msgspec import field

from selftest.tenant.doctor.evidence.graph_model import GraphModel, ObjectId, ObjectReference
from selftest.tenant.doctor.evidence.resource import ResourceId, app_id_in, host_of
from selftest.tenant.graph.objects import EXTENSION_TYPE, LISTENER_TYPE


class CallSettings(GraphModel, frozen=True):
    """How Entra calls: ``clientConfiguration`` of an extension, or of a listener that overrides it.

    Attributes:
        timeout_ms: Of one attempt; None where it is not set.
        retries: After the first attempt; None where it is not set.
    """

    timeout_ms: int | None = field(default=None, name="timeoutInMilliseconds")
    retries: int | None = field(default=None, name="maximumRetries")


class _Endpoint(GraphModel, frozen=True):
    target_url: str | None = None


class _Authentication(GraphModel, frozen=True):
    resource_id: str | None = None


class _Claim(GraphModel, frozen=True):
    claim_id_in_api_response: str = ""


class ExtensionObject(GraphModel, frozen=True):
    """A custom authentication extension."""

    id: ObjectId = ObjectId()
    display_name: str | None = None
    endpoint_configuration: _Endpoint = _Endpoint()
    authentication_configuration: _Authentication = _Authentication()
    call: CallSettings = field(default=CallSettings(), name="clientConfiguration")
    claims_for_token_configuration: tuple[_Claim, ...] = ()

    @property
    def for_token_issuance(self) -> bool:
        """Whether the extension is for our event; one without a type may be."""
        return self.odata_type in {None, EXTENSION_TYPE}

    @property
    def target_url(self) -> str | None:
        """Return the URL that Entra calls."""
        return self.endpoint_configuration.target_url

    @property
    def resource_id(self) -> str | None:
        """Return the identifier URI that Entra gets a token for."""
        return self.authentication_configuration.resource_id

    @property
    def claim_names(self) -> tuple[str, ...]:
        """Return the names that the portal offers for a mapping."""
        names = (claim.claim_id_in_api_response for claim in self.claims_for_token_configuration)
        return tuple(filter(None, names))

    @property
    def host(self) -> str | None:
        """Return the host of the target URL."""
        return host_of(self.target_url)

    @property
    def resource(self) -> ResourceId | None:
        """Return the parts of the resource id, or None where it does not have the documented form."""
        return ResourceId.parse(self.resource_id)

    @property
    def api_app_id(self) -> str | None:
        """Return the application id at the end of the resource id, even where the rest is malformed."""
        return app_id_in(self.resource_id)


class _Override(GraphModel, frozen=True):
    client_configuration: CallSettings = CallSettings()


class _Handler(GraphModel, frozen=True):
    configuration: _Override = _Override()
    custom_extension: ObjectReference = ObjectReference()


class _Included(GraphModel, frozen=True):
    app_id: ObjectId = ObjectId()


class _Applications(GraphModel, frozen=True):
    #: Only beta has this member.
    include_all_applications: bool = False
    include_applications: tuple[_Included, ...] = ()


class _Conditions(GraphModel, frozen=True):
    applications: _Applications = _Applications()


class ListenerObject(GraphModel, frozen=True):
    """An event listener."""

    id: ObjectId = ObjectId()
    display_name: str | None = None
    handler: _Handler = _Handler()
    conditions: _Conditions = _Conditions()

    @property
    def for_token_issuance(self) -> bool:
        """Whether it listens for our event; one without a type may."""
        return self.odata_type in {None, LISTENER_TYPE}

    @property
    def extension_id(self) -> str:
        """Return the id of the extension that its handler calls; empty where it names none."""
        return self.handler.custom_extension.id

    @property
    def override(self) -> CallSettings:
        """Return how Entra calls for this listener, where that differs from the extension."""
        return self.handler.configuration.client_configuration

    @property
    def app_ids(self) -> frozenset[str]:
        """Return the applications for whose tokens it calls."""
        return frozenset(app.app_id for app in self.conditions.applications.include_applications)

    def call(self, extension: ExtensionObject) -> CallSettings:
        """Return the call settings that apply: the listener's where it has them, else the extension's."""
        mine, theirs = self.override, extension.call
        return CallSettings(
            timeout_ms=theirs.timeout_ms if mine.timeout_ms is None else mine.timeout_ms,
            retries=theirs.retries if mine.retries is None else mine.retries,
        )
