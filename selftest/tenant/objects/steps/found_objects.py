"""What the tenant holds of what is wanted, as it was last read."""

from dataclasses import dataclass, field
from typing import Any

type GraphObject = dict[str, Any]


@dataclass(slots=True)
class ClientFound:
    """One application whose sign-ins should get claims.

    Attributes:
        application: its registration.
        principal: its service principal.
        assigned: the claims mapping policies on it.
        policy: ours for it.
        listener: ours for it.
    """

    application: GraphObject | None = None
    principal: GraphObject | None = None
    assigned: list[GraphObject] = field(default_factory=list)
    policy: GraphObject | None = None
    listener: GraphObject | None = None


@dataclass(slots=True)
class Found:
    """The tenant, as far as it concerns us.

    Attributes:
        application: the API's app registration.
        principal: its service principal.
        graph: the service principal of Microsoft Graph.
        caller: the service principal of the service that calls the endpoint.
        granted: the app roles that are granted to the API's service principal.
        extension: ours.
        extensions: all of the tenant.
        listeners: all of the tenant.
        clients: by client id.
    """

    application: GraphObject | None = None
    principal: GraphObject | None = None
    graph: GraphObject | None = None
    caller: GraphObject | None = None
    granted: list[GraphObject] = field(default_factory=list)
    extension: GraphObject | None = None
    extensions: list[GraphObject] = field(default_factory=list)
    listeners: list[GraphObject] = field(default_factory=list)
    clients: dict[str, ClientFound] = field(default_factory=dict)

    def client(self, client_id: str) -> ClientFound:
        """Give what is known of a client application."""
        return self.clients.setdefault(client_id, ClientFound())
