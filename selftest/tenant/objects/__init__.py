"""Creates, updates, shows and removes the objects in Entra that make it call the endpoint.

    app registration, service principal, consent, identifier URI      phases A and B: harmless, nothing calls yet
    custom authentication extension                                   phase C: where Entra would call
    policy, mapped claims, assignment, listener                       phase D: from now on sign-ins depend on it

The only state between two runs is in Entra: objects are found by their names, which contain the name of the
environment, so an interrupted run is completed by running the same command again.
"""
