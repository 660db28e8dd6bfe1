"""One module a command: each has ``add_parser(subparsers)`` and ``run(args)``, which returns the exit code."""
