"""The answer of Graph's own validation of an extension.

Source: Microsoft Graph v1.0 ``customAuthenticationExtension: validateAuthenticationConfiguration`` and
``authenticationConfigurationValidation``: errors and warnings, each with a code and a message.
"""

from typing import Final

from selftest.tenant.doctor.evidence.graph_model import GraphModel

#: Its codes are those of the sign-in log without the prefix. Four are documented; the others are ours by analogy.
_CODES: Final = {
    "IncorrectResourceIdFormat": 1003014,
    "DomainNameDoesNotMatch": 1003015,
    "ServicePrincipalNotFound": 1003016,
    "ResourceServicePrincipalNotFound": 1003016,
    "ClientServicePrincipalNotFound": 1003017,
    "ClientServiceDisabled": 1003018,
    "ClientServicePrincipalDisabled": 1003018,
    "ServicePrincipalDisabled": 1003019,
    "ResourceServicePrincipalDisabled": 1003019,
    "IncorrectTargetUrlFormat": 1003020,
    "PermissionNotGrantedToServicePrincipal": 1003021,
    "MsGraphServicePrincipalDisabledOrNotFound": 1003022,
    "Blocked": 1003023,
}


class Remark(GraphModel, frozen=True):
    """One error or warning. Its message is not read: it may hold names of people."""

    code: str = ""

    @property
    def name(self) -> str:
        """Return the code as Graph writes it, where it can be shown."""
        return self.code if self.code.isalnum() and len(self.code) < 80 else "an unnamed remark"

    @property
    def logged_code(self) -> int | None:
        """Return the code that the sign-in log would show; None for a remark that is not known here."""
        return _CODES.get(self.code.removeprefix("CustomExtension"))


class Validation(GraphModel, frozen=True):
    """The answer."""

    errors: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
