"""One sign-in on the page: the verdict first, then each callout with its times, then the tokens.

The view is built from the record of the log, so that a sign-in in the browser, without a choice in the form, is shown
in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from selftest.base.printable import shown_url
from selftest.judge.app_cause import explained
from selftest.judge.app_line import AppLine
from selftest.judge.codes import CODES, code_in_log
from selftest.judge.explain import Explanation, of_code
from selftest.play.app_log import kept_lines
from selftest.play.call_verdict import BY_RETRY
from selftest.playground.html.readable import body_text, header_lines, indented_json
from selftest.playground.html.timing import AttemptBar, attempt_bar
from selftest.playground.html.token_rows import TokenTable, token_tables
from selftest.playground.played import Played
from selftest.signin.sign_in_log import Callout, SignInRecord

#: The sections of an explanation that are shown; `explain` shows all.
_SHOWN_SECTIONS: Final = ("meaning", "cause", "confirm", "fix", "conflict")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalloutView:
    """One callout.

    Attributes:
        audience: The app that the token is for.
        bars: One per attempt; none without a call.
        url: The URL of the endpoint, without the values of its query.
        token: Header and claims of the callout's token; None if unknown.
    """

    audience: str
    minted: bool
    reason: str
    warnings: tuple[str, ...]
    bars: tuple[AttemptBar, ...]
    url: str
    event: str
    token: tuple[str, str] | None
    status: int | None
    headers: Sequence[str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInView:
    """A sign-in.

    Attributes:
        word: The verdict in one or two words, or its code.
        name: The name of the code; empty without a code.
        refusal: The error that the app receives; empty if it receives tokens.
        logged: Why a call failed at first or at last, from the endpoint's log, each text with its label.
    """

    word: str
    name: str
    sentence: str
    tone: Literal["good", "bad", "warn"]
    title: str
    calls: tuple[CalloutView, ...]
    tokens: list[TokenTable]
    explanations: tuple[Explanation, ...]
    refusal: str
    log: tuple[str, ...]
    logged: tuple[tuple[str, str], ...]


def sign_in_view(record: SignInRecord, played: Played | None, browser_log: Sequence[str] = ()) -> SignInView:
    """Return the view of a sign-in; ``played`` is None for a sign-in in the browser, whose lines are in its log."""
    lines = [line for line in browser_log if record.correlation_id in line] if played is None else played.log
    failed = next((call for call in record.callouts if not call.verdict.minted), None)
    tokens = token_tables(record)
    custom_claims = sum(table.from_endpoint for table in tokens)
    return SignInView(
        word=_word(record, failed),
        name="" if failed is None else failed.verdict.name or "",
        sentence=_sentence(record, failed, played, custom_claims),
        tone=_tone(record, custom_claims),
        title=f"{record.person.display_name} to {record.client.principal.display_name}{_circumstances(played)}",
        calls=tuple(_call(callout, played) for callout in record.callouts),
        tokens=tokens,
        explanations=_explanations(record),
        refusal="" if record.refusal is None else f"AADSTS{record.refusal.aadsts}: {record.refusal}",
        log=() if played is None else played.log,
        logged=tuple(explained(_odd_lines(record, lines))),
    )


def _odd_lines(record: SignInRecord, lines: Sequence[str]) -> tuple[AppLine, ...]:
    """Return what the log says about the first call that failed, or that needed its retry."""
    odd = next((call for call in record.callouts if not call.verdict.minted or call.attempts > 1), None)
    if odd is None or odd.call is None:
        return ()
    return kept_lines(lines, record.correlation_id, odd.http_status)


def _word(record: SignInRecord, failed: Callout | None) -> str:
    if record.refusal is None and record.minted:
        return "Token minted by the retry" if _by_retry(record) else "Token minted"
    if record.refusal is None:
        return "Signed in"
    if failed is not None and failed.verdict.code is not None:
        return str(failed.verdict.code)
    return f"AADSTS{record.refusal.aadsts}"


def _sentence(record: SignInRecord, failed: Callout | None, played: Played | None, custom_claims: int) -> str:
    if failed is not None:
        return f"No token: {_reason(failed, played)}"
    if record.refusal is not None:
        return f"No token: {record.refusal}"
    if not record.callouts:
        return "No listener fires for this app, so no endpoint was called."
    if not record.minted:
        return "The app has a code and has not redeemed it."
    for warning in (each for call in record.callouts for each in call.verdict.warnings if each.kind == BY_RETRY):
        return f"{warning.message[0].upper()}{warning.message[1:]}."
    return f"It contains {custom_claims or 'no'} {'claim' if custom_claims == 1 else 'claims'} from your endpoint."


def _circumstances(played: Played | None) -> str:
    if played is None:
        return ", in the browser"
    fault = played.choice.fault
    if fault.kind == "downstream":
        return f", while {fault.label}, with the provider {played.choice.provider}"
    return ""


def _tone(record: SignInRecord, custom_claims: int) -> Literal["good", "bad", "warn"]:
    if record.refusal is not None:
        return "bad"
    is_warned = any(call.verdict.warnings for call in record.callouts) and not custom_claims
    return "warn" if is_warned or _by_retry(record) else "good"


def _by_retry(record: SignInRecord) -> bool:
    return any(call.verdict.minted and call.attempts > 1 for call in record.callouts)


def _call(callout: Callout, played: Played | None) -> CalloutView:
    attempts = () if callout.call is None else callout.call.attempts
    last = attempts[-1] if attempts else None
    timeout_ms, budget_ms = callout.listener.timeout_ms, None if played is None else played.budget_ms
    return CalloutView(
        audience=callout.audience.principal.display_name,
        minted=callout.verdict.minted,
        reason=_reason(callout, played),
        warnings=tuple(warning.message for warning in callout.verdict.warnings),
        bars=tuple(
            attempt_bar(number, attempt, timeout_ms=timeout_ms, budget_ms=budget_ms)
            for number, attempt in enumerate(attempts, start=1)
        ),
        url=shown_url(callout.listener.extension.target_url),
        event=indented_json(callout.event),
        token=_token(played),
        status=None if last is None else last.status,
        headers=[] if last is None else header_lines(last),
        body="" if last is None else body_text(last.body),
    )


def _token(played: Played | None) -> tuple[str, str] | None:
    if played is None or not played.tokens:
        return None
    header, claims = played.tokens[-1]
    return indented_json(header), indented_json(claims)


def _reason(callout: Callout, played: Played | None) -> str:
    if callout.call is None and played is not None and played.choice.fault.kind == "preset":
        return "the chosen fault sets this code as the outcome"
    return callout.verdict.reason


def _explanations(record: SignInRecord) -> tuple[Explanation, ...]:
    numbers = [call.verdict.code for call in record.callouts if call.verdict.code is not None]
    found = [CODES[number] for number in dict.fromkeys(numbers)]
    outer = None if record.refusal is None else code_in_log(record.refusal.aadsts)
    shown = [*found, *([] if outer is None or outer in found else [outer])]
    return tuple(_shortened(of_code(code)) for code in shown)


def _shortened(whole: Explanation) -> Explanation:
    return replace(whole, sections=tuple(section for section in whole.sections if section.key in _SHOWN_SECTIONS))
