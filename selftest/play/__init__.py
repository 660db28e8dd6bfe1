"""One sign-in against one endpoint: the endpoint's address, the call as Entra makes it, and its result."""
