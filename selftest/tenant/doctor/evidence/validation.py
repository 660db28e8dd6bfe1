"""What Graph's own validation of an extension answered.

Source: Microsoft Graph v1.0 ``customAuthenticationExtension: validateAuthenticationConfiguration`` and
``authenticationConfigurationValidation``: errors and warnings, each with a code and a message.
"""

from dataclasses import dataclass
from typing import Final, Self

from selftest.tenant.doctor.evidence.members import Members

#: Its codes are those of the sign-in log without the prefix. Four are shown; the others are ours by analogy.
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


@dataclass(frozen=True, slots=True)
class Remark:
    """One error or warning.

    Attributes:
        name: as Graph writes it.
        code: what the sign-in log would show; None for one that is not known here.
    """

    name: str
    code: int | None


@dataclass(frozen=True, slots=True)
class Validation:
    """The answer."""

    remarks: tuple[Remark, ...]

    @classmethod
    def read(cls, answer: Members) -> Self:
        """Read Graph's answer; the messages are left alone, for names can stand in them.

        Raises:
            ShapeError: It is not of the documented shape.
        """
        found = (*(answer.parts("errors") or ()), *(answer.parts("warnings") or ()))
        return cls(tuple(_remark(one.text("code") or "") for one in found))


def _remark(name: str) -> Remark:
    known = name.removeprefix("CustomExtension")
    return Remark(name if name.isalnum() and len(name) < 80 else "an unnamed remark", _CODES.get(known))
