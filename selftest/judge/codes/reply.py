"""Codes of the reply: status 200 was received in time, but Entra cannot use the reply."""

from functools import partial
from typing import Final

from selftest.judge.codes.entry import REFERENCE, TROUBLESHOOT, Code, ReplyPair, ReplySample
from selftest.judge.codes.sample_reply import GOOD, body_with_actions, body_with_claims

_during: Final = partial(Code, phase="during the call")

ENTRIES: Final = (
    _during(
        code=1003003,
        name="CustomExtensionInvalidResponseBody",
        meaning="The body is not JSON, or not JSON of the documented shape.",
        cause=(
            "data or data.actions missing, misspelled or of another type",
            "data's @odata.type absent or not microsoft.graph.onTokenIssuanceStartResponseData",
            "an HTML error page or a truncated body sent with status 200",
            "claims given as a list or as text",
            "a body that is compressed or not UTF-8",
        ),
        confirm="Save the body and run `python -m selftest judge` on it: the reason names the member.",
        fix="Send the documented object: data, its type, and one provideClaimsForToken action with claims.",
        source=f"{TROUBLESHOOT}; {REFERENCE}",
        commands=("judge --body FILE", "check C03 C12 C14"),
        related=("C03", "C12", "C13", "C14", "C21"),
        pair=ReplyPair(bad=ReplySample(body=body_with_claims('["Writer", "Editor"]')), good=GOOD),
    ),
    _during(
        code=1003006,
        name="CustomExtensionInvalidResponseContentType",
        meaning="The reply's content type is something other than application/json.",
        cause=(
            "the framework's default (text/plain) because the header was never set",
            "an error or login page in HTML from a gateway, with status 200",
            "a relative such as application/problem+json or text/json",
        ),
        confirm="Send the event with curl -i and read the Content-Type line.",
        fix="Set Content-Type: application/json; a charset=utf-8 parameter is what Microsoft's own library sends.",
        source=f"{TROUBLESHOOT}; azure-sdk-for-net Microsoft.Azure.WebJobs.Extensions.AuthenticationEvents",
        commands=("judge --content-type text/plain --body FILE", "check C02"),
        related=("C02",),
        pair=ReplyPair(bad=ReplySample(content_type="text/plain; charset=utf-8", body=GOOD.body), good=GOOD),
    ),
    _during(
        code=1003007,
        name="CustomExtensionNullClaimsResponse",
        meaning="The action carries no claims: the member is null or left out.",
        cause=(
            "the user was not found and null was returned",
            "a serializer that omits empty members",
            "the member is spelled Claims",
        ),
        confirm="Run `python -m selftest judge` on the body for a user without data.",
        fix="Always send an object; for a user without data send the default claims.",
        source=TROUBLESHOOT,
        commands=("judge --body FILE", "check C06"),
        related=("C06", "C14"),
        pair=ReplyPair(bad=ReplySample(body=body_with_claims("null")), good=GOOD),
        conflict="An empty object is not a null one; what Entra makes of {} is not documented.",
    ),
    _during(
        code=1003008,
        name="CustomExtensionInvalidResponseApiSchemaVersion",
        meaning="The reply follows another version of the schema than the call did.",
        cause=(
            "code from the 2021 preview, whose reply has apiSchemaVersion at the top and no data",
            "an old preview package that still writes that reply",
        ),
        confirm="Look for apiSchemaVersion in the body.",
        fix="Send today's shape, which has data and no version member.",
        source=TROUBLESHOOT,
        commands=("judge --body FILE", "check C03"),
        related=("C03",),
        pair=ReplyPair(
            bad=ReplySample(
                body="""\
{
  "type": "onTokenIssuanceStartCustomExtension",
  "apiSchemaVersion": "10-01-2021-preview",
  "actions": [{"type": "ProvideClaimsForToken", "claims": [{"id": "DateOfBirth", "value": "01/01/2000"}]}]
}"""
            ),
            good=GOOD,
        ),
    ),
    _during(
        code=1003009,
        name="CustomExtensionEmptyResponse",
        meaning="The reply has no body, or the body is the JSON word null.",
        cause=(
            "the handler returned before it wrote a reply",
            "a workflow whose response step has no body",
            "an HTTP 200 from a health page or an OPTIONS handler on the same path",
        ),
        confirm="Send the event with curl -i: Content-Length is 0, or the body is null.",
        fix="Write the documented object on every path that answers 200.",
        source=TROUBLESHOOT,
        commands=("judge --body FILE", "check C12"),
        related=("C12", "C14"),
        pair=ReplyPair(bad=ReplySample(), good=GOOD),
    ),
    _during(
        code=1003010,
        name="CustomExtensionInvalidNumberOfActions",
        meaning="The reply holds more or fewer actions than this event takes.",
        cause=(
            "an empty list where there was nothing to add",
            "one action for each claim instead of one with all of them",
        ),
        confirm="Count the members of data.actions.",
        fix="Send exactly one provideClaimsForToken action with every claim in it.",
        source=f"{TROUBLESHOOT}; {REFERENCE}",
        commands=("judge --body FILE", "check C04"),
        related=("C04",),
        pair=ReplyPair(bad=ReplySample(body=body_with_actions()), good=GOOD),
        conflict="The number is not printed anywhere: one is what every sample has and Microsoft's library demands.",
    ),
    _during(
        code=1003012,
        name="CustomExtensionInvalidActionType",
        meaning="The action's @odata.type is not one that this event knows.",
        cause=(
            "microsoft.graph.provideClaimsForToken without the tokenIssuanceStart part",
            "the @odata.type of the action is missing, or has a # in front",
            "an action of another event, such as continueWithDefaultBehavior",
        ),
        confirm="Compare it letter by letter with microsoft.graph.tokenIssuanceStart.provideClaimsForToken.",
        fix="Use that type. There is no action that denies a sign-in: only a failing call does.",
        source=f"{TROUBLESHOOT}; {REFERENCE}",
        commands=("judge --body FILE", "check C05"),
        related=("C05",),
        pair=ReplyPair(bad=ReplySample(body=body_with_actions("microsoft.graph.provideClaimsForToken")), good=GOOD),
    ),
    _during(
        code=1003024,
        name="CustomExtensionResponseSizeExceeded",
        meaning="The reply as a whole is too large.",
        cause=(
            "members in addition to claims: debugging output, echoes of the request",
            "an error page or a file served in place of the reply",
        ),
        confirm="Measure the body; the claims alone have a smaller limit, 1003025.",
        fix="Send the action and its claims only.",
        source=TROUBLESHOOT,
        commands=("judge --body FILE",),
        related=("C09", "C14"),
        pair=ReplyPair(bad=ReplySample(body='{"debug": "<1048577 x d>"}'), good=GOOD),
        conflict="The limit is not published; `judge` uses 1 MiB, a bound of ours.",
    ),
    _during(
        code=1003025,
        name="CustomExtensionResponseClaimsSizeExceeded",
        meaning="Claim names and values together are over 3 KB.",
        cause=(
            "a list that grows with the user: groups, roles, entitlements",
            "text outside ASCII, which takes two to four bytes a character",
        ),
        confirm="Run `python -m selftest judge` on the body of the user with the most data.",
        fix="Send identifiers instead of names, cap lists by a stated rule, stay at or under 3000 bytes.",
        source=f"{TROUBLESHOOT}; {REFERENCE}",
        commands=("judge --body FILE", "check C09 C10"),
        related=("C09", "C10"),
        pair=ReplyPair(
            bad=ReplySample(body=body_with_claims('{"Groups": "<3067 x g>"}')),
            good=ReplySample(body=body_with_claims('{"Groups": "<2994 x g>"}')),
        ),
        conflict=(
            "3 KB may be 3000 or 3072, and bytes or characters: not stated. `judge` warns above 3000 UTF-8 bytes and "
            "refuses above 3072."
        ),
    ),
    _during(
        code=1003026,
        name="CustomExtensionNullOrEmptyClaimKeyNotSupported",
        meaning="A claim has no name.",
        cause=("a name built from data that was empty", "a spreadsheet or table row without a heading"),
        confirm="Look for an empty member name in claims.",
        fix="Drop claims without a name, and log that you did.",
        source=TROUBLESHOOT,
        commands=("judge --body FILE", "check C08"),
        related=("C08",),
        pair=ReplyPair(
            bad=ReplySample(body=body_with_claims('{"": "Writer"}')),
            good=ReplySample(body=body_with_claims('{"CustomRoles": "Writer"}')),
        ),
        conflict="Whether a name of spaces counts as empty is not stated; `judge` says that it does.",
    ),
)
