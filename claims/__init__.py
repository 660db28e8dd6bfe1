"""The endpoint: what answers Microsoft Entra's ``onTokenIssuanceStart`` event.

The data's way is the file names: header, token, event, provider, claims, reply.
Nothing here imports ``azure.functions``, so it runs under any other web host too.
"""
