"""The objects in Entra that make it call the endpoint: made, kept as they should be, shown and taken away again.

    app registration, service principal, consent, identifier URI      phases A and B: harmless, nothing calls yet
    custom authentication extension                                   phase C: where Entra would call
    policy, mapped claims, assignment, listener                       enabling: from now on sign-ins depend on it

Nothing is remembered between two runs but in Entra itself: objects are found by their names, which carry the name of
the environment, so a run that was cut off is finished by running the same command again.
"""
