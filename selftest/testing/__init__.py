"""The pytest plugin: sign-ins through the real worker, and an API on this machine that answers as configured.

``plugin`` has the fixtures and imports the rest when a test uses one: pytest loads it wherever the tool is installed.
``apps`` keeps the apps that were started, ``outcome`` has the result of a sign-in, ``users`` has the kinds of user,
``loopback_api`` is the API, and ``loop_thread`` runs all of it while plain, synchronous tests wait.
"""
