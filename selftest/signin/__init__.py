"""The browser sign-in of the emulated Entra: OpenID Connect and SAML, for the users and apps of a tenant.

``SignInServer`` is ``EntraServer`` with users and apps from a tenant file. It plays the side of Entra that an app sees:
it signs users in and asks the extension before it mints.

    tenant/file -> tenant/directory     what is in the tenant
    sign_in_service -> issuance         who is asked, what they say, what of it is minted, the log of it
    authorize, token_grants, saml/      how an app asks
    server                              where
"""
