"""Raises as an endpoint does whose settings are wrong."""


class SettingsError(Exception):
    """The settings cannot be used."""


def read() -> None:
    """Refuse them."""
    raise SettingsError("2 settings to mend:\n  - First: is missing\n  - Second: is not a number")
