"""Codes of the exchange: Entra called, and received no reply with status 200 in time."""

from functools import partial
from typing import Final

from selftest.judge.codes.entry import CLIENT, REFERENCE, TROUBLESHOOT, Code, ReplyPair, ReplySample
from selftest.judge.codes.sample_reply import GOOD
from selftest.judge.received_reply import CallFailure


def _no_reply(failure: CallFailure) -> ReplyPair:
    return ReplyPair(bad=ReplySample(status=None, content_type=None, failure=failure), good=GOOD)


_during: Final = partial(Code, phase="during the call")

ENTRIES: Final = (
    _during(
        code=1003001,
        name="CustomExtensionUnexpectedError",
        meaning="Calling the endpoint failed in a way that no other code describes.",
        cause=(
            "a reply that is not valid HTTP, or a connection closed in the middle of one",
            "an incomplete TLS handshake",
            "a fault of the service",
        ),
        confirm="Call the endpoint from outside its network with the same body; compare with its gateway's log.",
        fix="Fix the cause of the broken HTTP exchange (proxy, gateway, worker crash); then ask support.",
        source=TROUBLESHOOT,
        commands=("signin-log --file FILE --log FILE --code 1003001", "check C --url https://HOST --deployed"),
        related=("C01", "C88", "F"),
        pair=_no_reply("protocol"),
    ),
    _during(
        code=1003002,
        name="CustomExtensionInvalidHTTPStatus",
        meaning="The endpoint answered with a status that this event does not accept.",
        cause=(
            "401 or 403: the token is refused (issuer, audience, caller id, App Service Authentication's allow-list)",
            "404: the target URL has the wrong route or function name",
            "500: the function raised an exception",
            "502 or 503: the host is starting, scaled to zero or without its storage account",
            "201, 204 or a redirect: a success that is not 200",
        ),
        confirm="The sign-in log has the HTTP status of the last attempt; find the same correlation id in your log.",
        fix="Answer 200 and nothing else; for 401 and 403 compare iss, aud and azp or appid with the settings.",
        source=f"{TROUBLESHOOT}; {REFERENCE}",
        commands=("signin-log --file FILE --log FILE --code 1003002", "token --call https://HOST"),
        related=(
            *("C01", "C22", "T150", "T151", "T152", "C60", "D02", "D03", "D05", "D11"),
            *("D04", "D06", "D08", "D10", "D12", "D13", "D86", "D88", "D90"),
        ),
        pair=ReplyPair(bad=ReplySample(status=401, body='{"error": {"code": "invalid_token"}}'), good=GOOD),
        conflict=(
            "The accepted statuses are said to be defined for each extension type, but no list is published: only 200 "
            "is shown. A refused token is documented under 1003005 and reported from the field as this code. In "
            "External ID the signing keys were found under ciamlogin.com by two reports and under "
            "login.microsoftonline.com by one, and issuers of both hosts were seen. Try: read the httpStatus; at 401 "
            "run `token` to compare issuer and key id, and name the second document in "
            "Claims__AdditionalAuthorityUrls."
        ),
    ),
    _during(
        code=1003005,
        name="CustomExtensionTimedOut",
        meaning="No complete reply within the configured timeout, neither to the first call nor to its retry.",
        cause=(
            "a cold start: the plan lets the app sleep or scales it out",
            "a slow downstream call, or a new downstream token for every sign-in",
            "the timeout was never set, so that it is 1000 ms instead of 2000 ms",
            "signing keys fetched while the request waits",
            "a token that the endpoint refuses",
        ),
        confirm=(
            "Compare total_ms in the endpoint's log with the configured timeout; where the log has a 401 or no "
            "slow request, check the token before the speed."
        ),
        fix=(
            "Set timeoutInMilliseconds to 2000 and maximumRetries to 1; keep the app warm; cache downstream tokens; "
            "bound the downstream call to about 1.2 s."
        ),
        source=f"{TROUBLESHOOT}; {CLIENT}",
        commands=("signin-log --file FILE --log FILE --code 1003005", "token --call https://HOST", "check C26 C27"),
        related=("C26", "C27", "F90", "F91", "T150", "D26", "D27", "D29", "D28", "D87", "D89"),
        pair=_no_reply("timeout"),
        conflict=(
            "The troubleshooting page says that this code can also mean an invalid access token; reports see 1003002 "
            "for a 401. That page gives the timeout as two seconds, while Graph stores 1000 ms by default. Try: "
            "set timeoutInMilliseconds to 2000 explicitly; when the endpoint's log shows no slow request, run `token "
            "--call`."
        ),
    ),
    _during(
        code=1003027,
        name="CustomExtensionConnectionError",
        meaning="Entra could not open a connection to the endpoint.",
        cause=(
            "access restrictions, a private endpoint or a firewall",
            "a certificate that is expired, for another host or without its chain",
            "a host name that does not resolve in public DNS",
            "the app is stopped or deleted",
        ),
        confirm="Call the URL from a machine outside your network; the endpoint's own log often shows nothing.",
        fix="Make the host reachable from the internet on 443 with a full certificate chain.",
        source=f"{TROUBLESHOOT}; entra-docs identity-platform/custom-extension-overview.md",
        commands=("signin-log --file FILE --log FILE --code 1003027", "check C91 --url https://HOST --deployed"),
        related=("C91", "C01", "D80", "D81", "D82", "D83", "D01", "D84", "D85"),
        pair=_no_reply("connection"),
    ),
)
