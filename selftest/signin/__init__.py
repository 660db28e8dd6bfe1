"""The browser sign-in of the emulated Entra: OpenID Connect and SAML, for the users and apps of a tenant.

``SignInServer`` is an ``EntraServer`` with users and apps from a tenant file. It emulates what an app sees of Entra: it
signs users in and calls the extension before it issues tokens.

    tenant/file -> tenant/directory     the contents of the tenant
    sign_in_service -> issuance         which extensions are called, what is mapped and minted, the log
    oidc/, saml/                        the endpoints that apps call
    server, startup                     the HTTP server, and its start with a tenant file
"""
