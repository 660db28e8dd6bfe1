"""What a file evidently is: somebody gave a sign-in log where a reply was wanted.

Only what no other kind has decides, so that a reply with unexpected members is still a reply.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from selftest.base.bounded_file import decoded, encoding_of
from selftest.contract import CALLOUT_DATA_TYPE, RESPONSE_DATA_TYPE

CALLOUT: Final = "a captured callout"
REPLY: Final = "the reply of an endpoint"
SIGN_IN_LOG: Final = "a sign-in log"


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that this tool reads.

    Attributes:
        name: With its article, for the end of a sentence.
        way_on: What reads such a file, or makes the wanted one from it.
    """

    name: str
    way_on: str

    def __str__(self) -> str:
        return f"{self.name}: {self.way_on}"


def _has(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda members: all(name in members for name in names)


def _has_data(kind: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda members: isinstance(data := members.get("data"), dict) and data.get("@odata.type") == kind


_KINDS: Final[tuple[tuple[FileKind, tuple[Callable[[Mapping[str, Any]], bool], ...]], ...]] = (
    (FileKind(REPLY, "`judge --body FILE` reads it"), (_has_data(RESPONSE_DATA_TYPE),)),
    (FileKind(CALLOUT, "`compare-callout FILE` reads it"), (_has_data(CALLOUT_DATA_TYPE),)),
    (
        FileKind(SIGN_IN_LOG, "`signin-log --file FILE` reads it"),
        (
            _has("appliedEventListeners"),
            _has("correlationId", "status", "appId"),
            _has("CorrelationId", "ResultType"),
            _has("category", "properties", "resultType"),
            _has("AppliedEventListeners"),
        ),
    ),
    (FileKind("a table of Log Analytics", "`signin-log` reads it, as --file or as --log"), (_has("columns", "rows"),)),
    (
        FileKind("the objects of a tenant", "`doctor --file FILE` reads it"),
        (
            _has("customAuthenticationExtensions"),
            _has("authenticationEventListeners"),
            _has("claimsMappingPolicies"),
            _has("applications", "servicePrincipals"),
        ),
    ),
    (
        FileKind("a claims mapping policy", "`judge --body FILE --mapping FILE` compares a reply with it"),
        (_has("ClaimsMappingPolicy"), _has("definition", "displayName")),
    ),
    (
        FileKind("the settings of an app", "`doctor --settings FILE` reads it"),
        (_has("IsEncrypted", "Values"), _has("name", "slotSetting", "value")),
    ),
    (FileKind("a results file of this tool", "`report FILE` reads it"), (_has("schema_version", "checks"),)),
    (
        FileKind("a line of the endpoint's log", "`signin-log --file FILE --log FILE` reads it"),
        (_has("outcome", "status", "total_ms"),),
    ),
)
_HEAD: Final = FileKind("a whole HTTP reply", "write the body alone, as `curl` does without -i")


def kind_of(text: str) -> FileKind | None:
    """Return what a file evidently is; None if it has the form of nothing that is known here."""
    if text.startswith("HTTP/"):
        return _HEAD
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    members = _first(document)
    return next((kind for kind, tests in _KINDS if any(test(members) for test in tests)), None)


def other_than_a_reply(body: bytes) -> str | None:
    """Return a sentence about a file that was given as the body of a reply; None if it may be one."""
    if not body.strip():
        return "the body is empty; if the endpoint sent one, it was not saved"
    if (encoding := encoding_of(body)[0]) != "utf-8":
        return (
            f"the file is {encoding[:6].upper()}, as > writes it in Windows PowerShell, and the endpoint's reply may be"
            " good: save it with curl -o FILE, or with Out-File -Encoding utf8NoBOM"
        )
    kind = kind_of(decoded(body, errors="replace"))
    return None if kind is None or kind.name == REPLY else f"the file looks like {kind}"


def _first(document: object) -> Mapping[str, Any]:
    """Return the object, or the first one of a list, a Graph collection or the records of a log."""
    for _ in range(3):
        if isinstance(document, dict):
            inner = next((document[name] for name in ("value", "records", "tables") if name in document), None)
            if not isinstance(inner, list):
                return document
            document = inner
        if isinstance(document, list) and document:
            document = document[0]
    return document if isinstance(document, dict) else {}
