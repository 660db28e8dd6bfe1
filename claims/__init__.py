"""The endpoint, which answers Microsoft Entra's ``onTokenIssuanceStart`` event.

A request passes through the modules in this order: header, token, event, provider, reply.
Nothing here imports ``azure.functions``, so it runs under any other web host too.
"""
