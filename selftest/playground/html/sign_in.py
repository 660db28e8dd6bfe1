"""One sign-in as the page shows it: the verdict first, then each call with its times, then the tokens.

It is made from the record that the log keeps, so a sign-in from the browser, of which nobody chose anything here, is
shown in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from selftest.base.printable import shown_url
from selftest.judge.codes import CODES, code_in_log
from selftest.judge.explain import Explanation, of_code
from selftest.playground.html.readable import body_text, header_lines, laid_out
from selftest.playground.html.timing import AttemptBar, attempt_bar
from selftest.playground.html.token_rows import TokenTable, token_tables
from selftest.playground.played import Played
from selftest.signin.sign_in_log import Callout, SignInRecord

#: Of an explanation, what helps at this moment; `explain` has the rest.
_SHOWN_SECTIONS: Final = ("meaning", "cause", "confirm", "fix", "conflict")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """One call of the endpoint.

    Attributes:
        audience: for whose token.
        portal: what the Authentication Events tab shows of it.
        minted: whether Entra is content with the answer.
        reason: of the verdict.
        bars: one an attempt; none where there was no call.
        warnings: what may go wrong later.
        url: what was called.
        event: what was sent.
        token: header and claims of the callout's token; None where it is not known.
        status_line: of the last answer; None without one.
        headers: of the last answer.
        body: of the last answer.
    """

    audience: str
    portal: Mapping[str, Any]
    minted: bool
    reason: str
    bars: tuple[AttemptBar, ...]
    warnings: tuple[str, ...]
    url: str
    event: str
    token: tuple[str, str] | None
    status_line: str | None
    headers: Sequence[str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInView:
    """A whole sign-in.

    Attributes:
        word: the verdict in a word or two, or its code.
        name: of the code; empty where there is none.
        sentence: the verdict's sentence.
        tone: of the page's colours.
        who: user and app.
        calls: what was asked of the endpoint.
        tokens: what the app got.
        explanations: of every code in it.
        refusal: what the app is told; empty where it gets a token.
        log: what the app logged.
    """

    word: str
    name: str
    sentence: str
    tone: Literal["good", "bad", "warn"]
    who: str
    calls: tuple[CallView, ...]
    tokens: list[TokenTable]
    explanations: tuple[Explanation, ...]
    refusal: str
    log: tuple[str, ...]


def sign_in_view(record: SignInRecord, played: Played | None) -> SignInView:
    """Lay out a sign-in; ``played`` is what is known of one that was chosen here."""
    calls = tuple(_call(callout, played) for callout in record.callouts)
    failed = next((call for call in record.callouts if not call.verdict.minted), None)
    return SignInView(
        word=_word(record, failed),
        name="" if failed is None else failed.verdict.name or "",
        sentence=_sentence(record, failed, played),
        tone=_tone(record),
        who=f"{record.person.display_name} to {record.client.principal.display_name}{_beside(played)}",
        calls=calls,
        tokens=token_tables(record),
        explanations=_explanations(record),
        refusal="" if record.refusal is None else f"AADSTS{record.refusal.aadsts}: {record.refusal}",
        log=() if played is None else played.log,
    )


def _word(record: SignInRecord, failed: Callout | None) -> str:
    if record.refusal is None:
        return "Token minted" if record.minted else "Signed in"
    if failed is not None and failed.verdict.code is not None:
        return str(failed.verdict.code)
    return f"AADSTS{record.refusal.aadsts}"


def _sentence(record: SignInRecord, failed: Callout | None, played: Played | None) -> str:
    if failed is not None:
        return f"No token: {_reason(failed, played)}"
    if record.refusal is not None:
        return f"No token: {record.refusal}"
    if not record.callouts:
        return "No listener fires for this app, so nobody was asked."
    if not record.minted:
        return "The app has a code and has not redeemed it."
    count = sum(table.from_endpoint for table in token_tables(record))
    return f"It carries {count or 'no'} {'claim' if count == 1 else 'claims'} from your endpoint."


def _beside(played: Played | None) -> str:
    """Say what else is to be known of how it was played."""
    if played is None:
        return ", in the browser"
    trouble = played.choice.trouble
    if trouble.kind == "downstream":
        return f", while {trouble.label}, through the provider {played.choice.provider}"
    return ""


def _tone(record: SignInRecord) -> Literal["good", "bad", "warn"]:
    if record.refusal is not None:
        return "bad"
    return "warn" if any(call.verdict.warnings for call in record.callouts) and not _custom(record) else "good"


def _custom(record: SignInRecord) -> bool:
    return any(table.from_endpoint for table in token_tables(record))


def _call(callout: Callout, played: Played | None) -> CallView:
    last = None if callout.call is None else callout.call.attempts[-1]
    attempts = () if callout.call is None else callout.call.attempts
    timeout_ms, budget_ms = callout.listener.timeout_ms, None if played is None else played.budget_ms
    return CallView(
        audience=callout.audience.principal.display_name,
        portal=callout.as_portal(),
        minted=callout.verdict.minted,
        reason=_reason(callout, played),
        bars=tuple(
            attempt_bar(number, attempt, timeout_ms=timeout_ms, budget_ms=budget_ms)
            for number, attempt in enumerate(attempts, start=1)
        ),
        warnings=tuple(warning.message for warning in callout.verdict.warnings),
        url=shown_url(callout.listener.extension.target_url),
        event=laid_out(callout.event),
        token=_token(played),
        status_line=None if last is None or last.status is None else f"HTTP {last.status}",
        headers=[] if last is None else header_lines(last),
        body="" if last is None else body_text(last.body),
    )


def _token(played: Played | None) -> tuple[str, str] | None:
    if played is None or not played.tokens:
        return None
    header, claims = played.tokens[-1]
    return laid_out(header), laid_out(claims)


def _reason(callout: Callout, played: Played | None) -> str:
    if callout.call is None and played is not None and played.choice.trouble.kind == "decree":
        return "you chose that Entra ends the call with this code"
    return callout.verdict.reason


def _explanations(record: SignInRecord) -> tuple[Explanation, ...]:
    numbers = [call.verdict.code for call in record.callouts if call.verdict.code is not None]
    found = [CODES[number] for number in dict.fromkeys(numbers)]
    outer = None if record.refusal is None else code_in_log(record.refusal.aadsts)
    shown = [*found, *([] if outer is None or outer in found else [outer])]
    return tuple(_shortened(of_code(code)) for code in shown)


def _shortened(whole: Explanation) -> Explanation:
    kept = tuple(section for section in whole.sections if section.key in _SHOWN_SECTIONS)
    return Explanation(
        id=whole.id, title=whole.title, kind=whole.kind, rank=whole.rank, source=whole.source, sections=kept
    )
