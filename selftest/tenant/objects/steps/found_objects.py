"""The objects that the tenant has, as they were last read."""

from dataclasses import dataclass, field

from selftest.tenant.graph.objects import GraphObject


@dataclass(slots=True)
class FoundClient:
    """One application whose sign-ins should get claims.

    Attributes:
        assigned: The claims mapping policies assigned to it.
        policy: Ours for it.
        listener: Ours for it.
    """

    application: GraphObject | None = None
    principal: GraphObject | None = None
    assigned: list[GraphObject] = field(default_factory=list)
    policy: GraphObject | None = None
    listener: GraphObject | None = None


@dataclass(slots=True)
class FoundObjects:
    """The objects of the tenant that concern the endpoint.

    Attributes:
        application: The API's app registration.
        principal: Its service principal.
        graph: The service principal of Microsoft Graph.
        caller: The service principal of the service that calls the endpoint.
        granted: The app roles that are granted to the API's service principal.
        extension: Ours.
        extensions: All of the tenant.
        listeners: All of the tenant.
        clients: By client id.
    """

    application: GraphObject | None = None
    principal: GraphObject | None = None
    graph: GraphObject | None = None
    caller: GraphObject | None = None
    granted: list[GraphObject] = field(default_factory=list)
    extension: GraphObject | None = None
    extensions: list[GraphObject] = field(default_factory=list)
    listeners: list[GraphObject] = field(default_factory=list)
    clients: dict[str, FoundClient] = field(default_factory=dict)

    def client(self, client_id: str) -> FoundClient:
        """Return what is known of a client application."""
        return self.clients.setdefault(client_id, FoundClient())
