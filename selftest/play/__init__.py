"""One sign-in against one endpoint: where the endpoint is, the call as Entra makes it, and what came of it."""
