"""The documented reply as text, with one part of it open: what the samples of the codes are made from."""

from typing import Final

from selftest.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE
from selftest.judge.codes.entry import ReplySample

_CLAIMS: Final = '{"DateOfBirth": "01/01/2000", "CustomRoles": ["Writer", "Editor"]}'


def body_with_claims(claims: str) -> str:
    """Write the documented body around this JSON for the claims."""
    return _body(_action(PROVIDE_CLAIMS_ACTION, claims))


def body_with_actions(*types: str) -> str:
    """Write the documented body with one action for each type."""
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


#: What Microsoft's reference shows: one action, strings and lists of strings.
GOOD: Final = ReplySample(body=body_with_claims(_CLAIMS))
