"""Every way in which a request can fail, as one tree.

::

    ClaimsError
    ├── SettingsError            settings are missing or contradict each other: the start stops
    └── RequestError             one request is refused or cannot be answered
        ├── TokenRefused         401  no token, or not one that Entra's event service would send
        ├── EventForbidden       403  the caller is authentic, the event is not for this endpoint
        ├── BodyRefused          400  the body is not the documented event
        │   ├── BodyTooLarge     413
        │   └── MediaRefused     415
        └── Unavailable          503  no answer can be given in time
            ├── KeysUnavailable       the signing keys are not loaded
            ├── ProviderFailed        the provider raised, or its claims cannot be sent
            │   └── TokenUnavailable  no token for the downstream API
            ├── ProviderLate          the budget ran out
            └── Overloaded            more events at once than can be answered in time

The caller gets constant words (``public_code``, ``public_message``), so that a probe learns the status and no more. The
log gets ``code``, which names the rule, and ``detail``, which holds both values, shortened.
"""

import re
from pathlib import PurePath
from traceback import walk_tb
from typing import ClassVar, Final

#: Of a code and of a detail, in characters: a log line has a limit, and a provider chooses both.
_MAX_CODE: Final = 64
_MAX_DETAIL: Final = 400
_NOT_IN_CODE: Final = re.compile(r"[^A-Za-z0-9_.-]")
_NOT_PRINTABLE: Final = re.compile(r"[^ -~]")
#: Characters of an unverified value: enough to recognize it.
_KEPT: Final = 8
#: An issuer's URL and an id are shorter.
_MAX_ID: Final = 100
#: The folder of ``function_app.py``.
_APP: Final = PurePath(__file__).parents[1]


class ClaimsError(Exception):
    """The root: catch it to catch everything that this package raises on purpose."""


class SettingsError(ClaimsError):
    """The settings are invalid. One message names every setting at fault.

    Attributes:
        problems: One sentence each, starting with the setting's name; no sentence twice.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        count = len(self.problems)
        super().__init__(f"invalid settings ({count} {'error' if count == 1 else 'errors'}):\n{lines}")


class RequestError(ClaimsError):
    """One request fails.

    Attributes:
        code: The rule that was broken, for the log (``audience_mismatch``).
        detail: What was expected and what came, without secrets, for the log.
    """

    status: ClassVar[int]
    public_code: ClassVar[str]
    public_message: ClassVar[str]

    def __init__(self, code: str, detail: str = "") -> None:
        # A provider may pass anything, whatever the annotations say.
        self.code = _NOT_IN_CODE.sub("_", printable(code)[:_MAX_CODE])
        self.detail = printable(detail)[:_MAX_DETAIL]
        super().__init__(f"{self.code}: {self.detail}" if self.detail else self.code)


class TokenRefused(RequestError):
    """The bearer token is absent or is not one that Entra's event service would send (RFC 6750, section 3.1)."""

    status = 401
    public_code = "invalid_token"
    public_message = "The request needs an access token that Microsoft Entra issued for this endpoint."


class EventForbidden(RequestError):
    """The caller is authentic, but the event's tenant or extension is not the configured one."""

    status = 403
    public_code = "forbidden"
    public_message = "This endpoint does not answer for that tenant or extension."


class BodyRefused(RequestError):
    """The body is not the documented event."""

    status = 400
    public_code = "invalid_request"
    public_message = "The body is not a valid onTokenIssuanceStart event."


class BodyTooLarge(BodyRefused):
    """The body is larger than any event."""

    status = 413
    public_code = "content_too_large"
    public_message = "The body is larger than this endpoint accepts."


class MediaRefused(BodyRefused):
    """The body is not declared as plain JSON."""

    status = 415
    public_code = "unsupported_media_type"
    public_message = "The body must be application/json in UTF-8, without a content encoding."


class Unavailable(RequestError):
    """No answer can be given in time; Entra may call again."""

    status = 503
    public_code = "unavailable"
    public_message = "The claims cannot be provided now."


class KeysUnavailable(Unavailable):
    """The signing keys are not loaded, so no token can be judged."""


class ProviderFailed(Unavailable):
    """The provider raised, or what it returned cannot be sent."""


class TokenUnavailable(ProviderFailed):
    """There is no token for the downstream API, and none can be had now."""


class ProviderLate(Unavailable):
    """The budget ran out before the provider answered."""


class Overloaded(Unavailable):
    """More events come at once than can be answered in time."""


def shorten(value: object) -> str:
    """Return enough of a value to recognize it in a log, and too little to use it."""
    if isinstance(value, str):
        return f"'{printable(value[:_KEPT])}...'" if len(value) > _KEPT else "a short string"
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def shorten_name(name: str) -> str:
    """Return at most half of a claim's name: one that a data source chose can be a person's address."""
    return f"{printable(name[: min(_KEPT, (len(name) + 1) // 2)])[:_MAX_CODE]}..."


def show_id(value: object) -> str:
    """Return an id or an issuer whole: it is no secret, and it is what a wrong setting should be.

    Only for what Entra has signed or published; before a signature is verified anybody could write into the log.
    """
    return f"'{printable(value[:_MAX_ID])}'" if isinstance(value, str) else shorten(value)


def place_of(error: BaseException) -> str:
    """Return an exception's type and place (``KeyError at claims/providers/mine.py:7``), never its message.

    The place is the last line of the developer's own code on the way to the exception, or else the line that raised it.
    """
    own = raised = ""
    for frame, line in walk_tb(error.__traceback__):
        path = own_path(frame.f_code.co_filename)
        raised = f" at {path or PurePath(frame.f_code.co_filename).name}:{line}"
        own = raised if path else own
    return f"{type(error).__name__}{own or raised}"


def own_path(file: str) -> str:
    """Return a file's path in the app's folder if a developer writes it: a provider's, or one outside ``claims/``."""
    parts = PurePath(file).parts[len(_APP.parts) :] if PurePath(file).is_relative_to(_APP) else ()
    delivered = parts[:1] in {("claims",), ("function_app.py",)} and parts[1:2] != ("providers",)
    installed = {"site-packages", ".venv", ".python_packages"} & set(parts)
    return "" if delivered or installed else printable("/".join(parts))


def printable(value: object) -> str:
    """Return a text in printable ASCII without double quotes; for a value that is not a text, its type."""
    if not isinstance(value, str):
        return f"a value of type {type(value).__name__}"
    return _NOT_PRINTABLE.sub("?", str.encode(value, "ascii", "backslashreplace").decode()).replace('"', "'")
