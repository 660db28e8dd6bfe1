"""One module a command: each has ``configure(parser)`` and ``run(args)``, which returns the exit code."""
