"""Fails while it is imported, with a message of several lines."""

import settings_of_app  # type: ignore[import-not-found]  # beside this file, as in a deployed app

settings_of_app.read()
