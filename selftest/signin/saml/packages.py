"""Whether the packages of SAML are installed: an extra of the tool, loaded for a tenant with a SAML app only."""


def saml_fault() -> str | None:
    """Return why no app can sign in with SAML; None if it can."""
    try:
        import selftest.signin.saml.endpoint  # noqa: F401, PLC0415 - see above
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        return f"SAML requires the package {package}: install entra-selftest[browser]"
    return None
