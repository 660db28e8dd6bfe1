"""The documented direct test: the API's app gets a token for itself, which is compared and sent to the endpoint.

It shows whether tenant, audience, issuer and keys are what the endpoint expects, before Entra calls it for the first
time. It cannot test the caller: this token names the API's own app, and Entra's token names its event service.

Source: entra-docs ``custom-extension-troubleshoot.md`` (call the REST API directly).
"""
