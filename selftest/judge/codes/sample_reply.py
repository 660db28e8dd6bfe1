"""The documented reply as text with one variable part, for the samples of the codes."""

from typing import Final

from selftest.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE
from selftest.judge.codes.entry import ReplySample

_CLAIMS: Final = '{"DateOfBirth": "01/01/2000", "CustomRoles": ["Writer", "Editor"]}'


def body_with_claims(claims: str) -> str:
    """Return the documented body with this JSON as claims."""
    return _body(_action(PROVIDE_CLAIMS_ACTION, claims))


def body_with_actions(*types: str) -> str:
    """Return the documented body with one action for each type."""
    return _body(", ".join(_action(kind, _CLAIMS) for kind in types))


def _action(kind: str, claims: str) -> str:
    return f"""\
{{
        "@odata.type": "{kind}",
        "claims": {claims}
      }}"""


def _body(actions: str) -> str:
    inside = f"\n      {actions}\n    " if actions else ""
    return f"""\
{{
  "data": {{
    "@odata.type": "{RESPONSE_DATA_TYPE}",
    "actions": [{inside}]
  }}
}}"""


#: The sample of Microsoft's reference: one action, strings and lists of strings.
GOOD: Final = ReplySample(body=body_with_claims(_CLAIMS))
