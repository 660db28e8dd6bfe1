"""The emulated Entra: one tenant on the loopback interface, with its keys, its metadata and its tokens.

``EntraServer`` plays the side of Entra that an endpoint sees: what is published (metadata, signing keys), what is sent
(the callout with its bearer token) and what can be asked for (a client-credentials token). ``SignInServer`` has people
and apps besides, from a tenant file, and plays the side that an app sees: it signs users in and asks the extension
before it mints. There is no password and no consent, and nothing it signs is of any worth outside this machine.

    tenant_file -> directory     what is in the tenant
    desk -> issuance             who is asked, what they say, what of it is minted, the log of it
    authorize, grants, saml      how an app asks
    sign_in_server               where
"""
