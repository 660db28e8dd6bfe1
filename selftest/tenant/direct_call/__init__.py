"""The documented direct test: a token that the API's app gets for itself, compared, and sent to the endpoint.

It shows whether tenant, audience, issuer and keys are what the endpoint expects, before Entra calls it at all. What it
cannot show is the caller: this token names the API's own app, and Entra's names its event service.

Source: entra-docs ``custom-extension-troubleshoot.md`` (call the REST API directly).
"""
