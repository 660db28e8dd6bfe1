"""Endpoints to paste, in the languages and libraries that authors use, and what any other language needs to know."""
