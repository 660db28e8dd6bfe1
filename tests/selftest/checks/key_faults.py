"""For each check of signatures and keys, one planted fault that makes it fail."""

import asyncio
from dataclasses import replace

import aiohttp

from selftest.entra.hostile_keys import attacker_key
from selftest.entra.key_store import NEXT, SPARE, process_keys
from selftest.entra.server import EntraServer
from tests.selftest.checks.planted_fault import (
    Incoming,
    Outgoing,
    PlantedFault,
    accepts,
    answers,
    answers_at,
    believes,
    believes_at,
    flat,
    replies,
)

#: The stages of the checks that change the published keys: each needs an endpoint of its own.
KEY_STAGES = {"rollover", "malformed-keys"}


def _kid(name: object) -> PlantedFault:
    return accepts(lambda token: token.header.get("kid") == name)


def _unverified(request: Incoming, entra: EntraServer) -> bool:
    """Whether the signature has the right form but is wrong: an endpoint that decodes without verifying accepts it."""
    token = request.token
    named = token.header.get("kid") == entra.keys.current.kid and token.header.get("alg") == "RS256"
    return named and len(token.signature) == 256 and not token.verifies(entra)


def _all_but_one_bit(request: Incoming, entra: EntraServer) -> bool:
    signature = request.token.signature
    return bool(signature) and request.token.verifies(entra, signature[:-1] + bytes([signature[-1] ^ 1]))


def _named(request: Incoming) -> tuple[object, object]:
    return request.token.header.get("alg"), request.token.header.get("kid")


def _forgets_the_old_key() -> PlantedFault:
    """Refuse the old key after a token signed with the new one."""
    seen: list[str] = []

    def forgotten(request: Incoming, entra: EntraServer) -> bool:
        kid = request.token.header.get("kid")
        seen.extend([kid] if kid == process_keys().rsa(NEXT).kid else [])
        return bool(seen) and kid == entra.keys.current.kid

    return answers_at(401, forgotten)


async def _fetches_each_time(request: Incoming, entra: EntraServer) -> Incoming | Outgoing:
    """Fetch the keys for every unknown key id."""
    if str(request.token.header.get("kid")).startswith("invented-"):
        async with aiohttp.ClientSession() as session, session.get(f"{entra.authority_url}/discovery/v2.0/keys"):
            await asyncio.sleep(0)
    return request


ROLLOVER: dict[str, PlantedFault] = {
    "T170": answers(401, lambda request: request.token.header.get("kid") == process_keys().rsa(NEXT).kid),
    "T171": _kid(process_keys().rsa(SPARE).kid),
    "T172": _forgets_the_old_key(),
    "T173": PlantedFault(before=_fetches_each_time),
    "T174": answers_at(503, lambda _, entra: entra.outage),
}

#: By the endpoint's code, in its log, for the rule that has to refuse the request.
REFUSED: dict[str, dict[str, PlantedFault]] = {
    "signature": {
        "T60": believes_at(_all_but_one_bit),
        "T61": accepts(lambda token: token.raw.endswith(".")),
        "T62": believes_at(_unverified),
        "T63": accepts(lambda token: len(token.signature) == 240),
        "T64": believes_at(_unverified),
        "T65": accepts(lambda token: "note" in token.header),
        "T66": believes_at(_unverified),
    },
    "key_unknown": {
        "T67": _kid(attacker_key().kid),
        "T70": _kid("hostile-use-enc"),
        "T73": _kid("hostile-rsa-1024"),
        "T74": _kid("hostile-alg-rs512"),
        "T78": believes(lambda request: _named(request) == ("RS256", "hostile-ec-p256")),
    },
    "algorithm": {
        "T71": _kid("hostile-ec-p256"),
        "T72": _kid("hostile-oct"),
    },
    "key_issuer": {
        "T76": _kid("hostile-other-issuer"),
    },
}

MALFORMED: dict[str, PlantedFault] = {
    "T75": _kid("hostile-key-ops-encrypt"),
    "T77": _kid("12345"),
    "T79": replies(lambda answer: replace(answer, status=503)),
}

KEY_FAULTS: dict[str, PlantedFault] = flat(REFUSED) | MALFORMED | ROLLOVER
