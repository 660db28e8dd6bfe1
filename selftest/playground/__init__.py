"""The playground: a local page for signing in, injecting faults, and watching how Entra reacts.

Reading order: what can be chosen (``faults``, ``choice``), the endpoints (``bad_endpoint``, ``app_files``,
``environment``), one sign-in (``player``, ``played``), its presentation (``html``), and the protected page that shows
it (``guard``, ``browser_flow``, ``server``).
"""
