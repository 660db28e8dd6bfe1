"""Faults that are planted in a valid endpoint.

The valid endpoint is the project's own, in this process behind a real HTTP server. A fault accepts one kind of invalid
request, refuses one kind of valid request, or changes one property of the response.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.raw_bytes import encode
from selftest.entra.payloads import variety
from selftest.entra.server import EntraServer

type Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LenientToken:
    """A token as a lenient parser reads it: padding, spaces and duplicates are accepted, nothing is verified."""

    raw: str

    def part(self, index: int) -> bytes:
        """Return one decoded segment; empty if it cannot be decoded."""
        segments = self.raw.replace("+", "-").replace("/", "_").split(".")
        try:
            return urlsafe_b64decode(segments[index].strip("=") + "===")
        except (IndexError, ValueError):
            return b""

    @property
    def header(self) -> dict[str, Any]:
        """Read the header; what is no object is empty."""
        return _object(self.part(0))

    @property
    def payload(self) -> dict[str, Any]:
        """Return the claims; empty if they are not an object."""
        return _object(self.part(1))

    @property
    def signature(self) -> bytes:
        """Return the decoded signature."""
        return self.part(2)

    def verifies(self, entra: EntraServer, signature: bytes | None = None) -> bool:
        """Whether this is the tenant's signature of the first two segments."""
        key = entra.keys.current.private_key.public_key()
        signed = self.raw.rpartition(".")[0].encode()
        try:
            key.verify(self.signature if signature is None else signature, signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A request with its headers in their order and not joined."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """Join the header's repetitions, as the Functions host does."""
        values = [value for key, value in self.headers if key.lower() == name]
        return ", ".join(values) if values else None

    def with_header(self, name: str, value: str | None) -> Self:
        """Return it with the header replaced or, with None, removed."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name)
        return replace(self, headers=kept if value is None else (*kept, (name, value)))

    @property
    def json(self) -> Any:
        """Return the body as JSON; an empty object if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return {}

    @property
    def token(self) -> LenientToken:
        """Return the token, read leniently."""
        return LenientToken((self.header("authorization") or "").rpartition(" ")[2])


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data.decode(errors="replace"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A response that a fault can change."""

    status: int
    body: bytes
    headers: Headers

    def with_header(self, name: str, value: str | None) -> Self:
        """Return it with the header replaced or, with None, removed."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=kept if value is None else (*kept, (name, value)))


type Before = Callable[[Incoming, EntraServer], Awaitable[Incoming | Outgoing]]


async def _unchanged(request: Incoming, entra: EntraServer) -> Incoming:
    del entra
    return request


@dataclass(frozen=True, kw_only=True)
class PlantedFault:
    """One fault of an endpoint."""

    before: Before = _unchanged
    after: Callable[[Incoming, Outgoing], Outgoing] = field(default=lambda _, answer: answer)
    log: Callable[[str, Incoming], list[str]] = field(default=lambda line, _: [line])
    env: Callable[[CheckEnvironment], CheckEnvironment] = field(default=lambda env: env)


GOOD = PlantedFault()


def flat(faults: Mapping[str, Mapping[str, PlantedFault]]) -> dict[str, PlantedFault]:
    """Return the faults by check, from faults by the rule that must refuse the request."""
    return {check_id: fault for of_rule in faults.values() for check_id, fault in of_rule.items()}


def _answer(status: int, text: str = "refused") -> Outgoing:
    body = encode({"error": {"code": "test", "message": text}})
    return Outgoing(status=status, body=body, headers=(("Content-Type", "application/json"),))


def believes(when: Callable[[Incoming], bool]) -> PlantedFault:
    """Return a fault that treats such a request as one with a valid token."""
    return believes_at(lambda request, _: when(request))


def believes_at(when: Callable[[Incoming, EntraServer], bool]) -> PlantedFault:
    """Return a fault that treats such a request as one with a valid token; the emulated Entra is an argument."""

    async def before(request: Incoming, entra: EntraServer) -> Incoming:
        if not when(request, entra):
            return request
        return request.with_header("authorization", f"Bearer {entra.mint.callout_token()}")

    return PlantedFault(before=before)


def accepts(when: Callable[[LenientToken], bool]) -> PlantedFault:
    """Return a fault that accepts such a token."""
    return believes(lambda request: when(request.token))


def forgives(when: Callable[[Incoming], bool]) -> PlantedFault:
    """Return a fault that replaces the body and content headers of such a request with valid ones."""

    async def before(request: Incoming, entra: EntraServer) -> Incoming:
        if request.method != "POST" or not when(request):
            return request
        event = variety("member").build(entra.tenant, "55555555-5555-4555-8555-555555555555")
        mended = replace(request, body=encode(event)).with_header("content-type", "application/json")
        return mended.with_header("content-encoding", None)

    return PlantedFault(before=before)


def answers(status: int, when: Callable[[Incoming], bool]) -> PlantedFault:
    """Return a fault that answers such a request before anything is validated."""
    return answers_at(status, lambda request, _: when(request))


def answers_at(status: int, when: Callable[[Incoming, EntraServer], bool]) -> PlantedFault:
    """Return a fault that answers such a request before anything is validated; the emulated Entra is an argument."""

    async def before(request: Incoming, entra: EntraServer) -> Incoming | Outgoing:
        return _answer(status) if when(request, entra) else request

    return PlantedFault(before=before)


def replies(change: Callable[[Outgoing], Outgoing]) -> PlantedFault:
    """Return a fault that changes every 200 to an event."""
    return PlantedFault(
        after=lambda request, answer: change(answer) if answer.status == 200 and _event(request) else answer
    )


def reply_json(change: Callable[[Any], object]) -> PlantedFault:
    """Return a fault that changes the JSON document of every 200; ``change`` works in place."""

    def spoil(answer: Outgoing) -> Outgoing:
        document = json.loads(answer.body)
        change(document)
        return replace(answer, body=encode(document))

    return replies(spoil)


def claims(**added: object) -> PlantedFault:
    """Return a fault that adds claims to every reply."""
    return reply_json(lambda reply: reply["data"]["actions"][0]["claims"].update(added))


def refusals(status: int, change: Callable[[Incoming, Outgoing], Outgoing]) -> PlantedFault:
    """Return a fault that changes every refusal of this status."""
    return PlantedFault(after=lambda request, answer: change(request, answer) if answer.status == status else answer)


def _event(request: Incoming) -> bool:
    return request.path.endswith("onTokenIssuanceStart")
