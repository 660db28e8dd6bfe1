"""For each token check, one planted fault that makes it fail."""

import asyncio
from collections.abc import Callable

import aiohttp

from claims.contract import EVENT_SERVICE_APP_ID
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.server import EntraServer
from tests.selftest.checks.planted_fault import (
    Incoming,
    Outgoing,
    PlantedFault,
    accepts,
    answers,
    believes,
    believes_at,
    flat,
)

OTHER_API = DEFAULT_TENANT.other_resource.app_id


def _scheme(request: Incoming) -> str:
    return (request.header("authorization") or "").partition(" ")[0].lower()


def _alg(name: object) -> PlantedFault:
    return accepts(lambda token: token.header.get("alg") == name)


def _kid(name: object) -> PlantedFault:
    return accepts(lambda token: token.header.get("kid") == name)


def _has(member: str) -> PlantedFault:
    return accepts(lambda token: member in token.header)


def _claim(name: str, when: Callable[[object], bool]) -> PlantedFault:
    return accepts(lambda token: name in token.payload and when(token.payload[name]))


def _lacks(name: str) -> PlantedFault:
    return accepts(lambda token: bool(token.payload) and name not in token.payload)


def _segments(count: int) -> PlantedFault:
    return accepts(lambda token: token.raw.count(".") == count - 1)


async def _follows(request: Incoming, _: EntraServer) -> Incoming | Outgoing:
    """Fetch the URL in the header, and then refuse the token."""
    for member in ("jku", "x5u"):
        if member in request.token.header:
            async with aiohttp.ClientSession() as session, session.get(request.token.header[member]):
                await asyncio.sleep(0)
    return request.with_header("authorization", None) if "jku" in request.token.header else request


def _only_spare_bits_differ(request: Incoming, entra: EntraServer) -> bool:
    """Decode leniently: the bytes are those of a good token, whatever the text is."""
    return request.token.verifies(entra)


ACCEPTED = {
    "T150": answers(401, lambda request: request.token.payload.get("ver") == "2.0"),
    "T151": answers(401, lambda request: request.token.payload.get("ver") == "1.0"),
    "T152": answers(401, lambda request: str(request.token.payload.get("aud")).startswith("api://")),
    "T154": answers(401, lambda request: "roles" in request.token.payload),
    "T155": answers(401, lambda request: "xms_new" in request.token.payload),
    "T156": answers(401, lambda request: "new" in request.token.header),
    "T157": answers(401, lambda request: "typ" not in request.token.header),
    "T158": answers(401, lambda request: isinstance(request.token.payload.get("exp"), float)),
    "T159": answers(401, lambda request: "idtyp" in request.token.payload),
    "T160": answers(401, lambda request: request.token.payload.get("nbf") == request.token.payload.get("iat") != 0),
    "T162": answers(401, lambda request: (request.header("authorization") or "").startswith("bearer")),
}

#: By the endpoint's code, in its log, for the rule that has to refuse the request.
REFUSED: dict[str, dict[str, PlantedFault]] = {
    "token_missing": {
        "T01": believes(lambda request: request.header("authorization") is None),
        "T06": believes(lambda request: "access_token=" in request.query),
    },
    "authorization_malformed": {
        "T02": believes(lambda request: request.header("authorization") == "Bearer"),
        "T03": believes(lambda request: _scheme(request) == "basic"),
        "T04": believes(lambda request: sum(name == "authorization" for name, _ in request.headers) == 2),
        "T05": believes(lambda request: "," in (request.header("authorization") or "")),
        "T07": believes(lambda request: _scheme(request).startswith("eyj")),
        "T16": believes(lambda request: (request.header("authorization") or "").count(" ") == 2),
    },
    "token_segments": {
        "T10": accepts(lambda token: "." not in token.raw),
        "T11": _segments(2),
        "T12": _segments(4),
        "T13": _segments(5),
    },
    "token_alphabet": {
        "T14": accepts(lambda token: token.raw.endswith("==")),
        "T15": accepts(lambda token: "+" in token.raw or "/" in token.raw),
    },
    "token_not_canonical": {
        "T17": believes_at(
            lambda request, entra: len(request.token.raw) > 100 and _only_spare_bits_differ(request, entra)
        ),
    },
    "token_too_large": {
        "T18": accepts(lambda token: len(token.raw) > 16 * 1024),
    },
    "token_header": {
        "T20": accepts(lambda token: token.part(0) == b"alg=RS256"),
        "T21": accepts(lambda token: token.part(0).startswith(b"[")),
        "T22": accepts(lambda token: b'"alg":"none"' in token.part(0)),
        "T23": accepts(lambda token: b"\xff" in token.part(0)),
    },
    "token_payload": {
        "T24": accepts(lambda token: token.part(1) == b"aud=me"),
        "T25": accepts(lambda token: token.part(1).startswith(b"[")),
        "T26": accepts(lambda token: token.part(1).count(b'"aud":') == 2),
        "T27": accepts(lambda token: token.part(1).count(b'"exp":') == 2),
        "T28": accepts(lambda token: b'"weight":NaN' in token.part(1)),
        "T124": accepts(lambda t: b'"exp":1e999' in t.part(1)),
        "T125": accepts(lambda t: b'"exp":NaN' in t.part(1)),
    },
    "algorithm": {
        "T30": accepts(lambda token: token.header.get("alg") == "none" and not token.signature),
        "T31": accepts(lambda token: str(token.header.get("alg")).lower() == "none" != token.header.get("alg")),
        "T32": accepts(lambda token: token.header.get("alg") == "none" and bool(token.signature)),
        "T33": accepts(lambda token: bool(token.header) and "alg" not in token.header),
        "T34": _alg(["RS256"]),
        "T35": _alg("rs256"),
        "T36": _alg("HS256"),
        "T37": _alg("HS256"),
        "T38": _alg("HS256"),
        "T39": _alg("RS384"),
        "T40": _alg("RS512"),
        "T41": _alg("PS256"),
        "T42": _alg("ES256"),
        "T43": _alg("EdDSA"),
        "T48": accepts(lambda token: "/" in str(token.header.get("kid"))),
    },
    "key_id": {
        "T45": accepts(lambda token: bool(token.header) and "kid" not in token.header),
        "T47": accepts(lambda token: isinstance(token.header.get("kid"), list)),
        "T49": accepts(lambda token: "kid" not in token.header and "x5t" in token.header),
    },
    "key_unknown": {
        "T46": _kid("not-published"),
    },
    "header_b64": {
        "T50": accepts(lambda token: "b64" in token.header and "crit" not in token.header),
    },
    "header_jwk": {
        "T51": _has("jwk"),
    },
    "header_jku": {
        "T52": PlantedFault(before=_follows),
    },
    "header_x5u": {
        "T53": PlantedFault(before=_follows),
    },
    "header_x5c": {
        "T54": _has("x5c"),
    },
    "header_crit": {
        "T55": accepts(lambda token: "urn:example:limit" in token.header),
        "T56": accepts(lambda token: token.header.get("crit") == []),
        "T57": accepts(lambda token: token.header.get("crit") == ["b64"]),
    },
    "header_zip": {
        "T58": _has("zip"),
    },
    "token_type": {
        "T59": accepts(lambda token: token.header.get("typ") == "dpop+jwt"),
    },
    "issuer": {
        "T80": _claim("iss", lambda iss: DEFAULT_TENANT.other_tenant_id in str(iss)),
        "T81": accepts(lambda t: t.payload.get("ver") == "2.0" and "sts.windows.net" in str(t.payload.get("iss"))),
        "T82": accepts(lambda t: t.payload.get("ver") == "1.0" and "sts.windows.net" not in str(t.payload.get("iss"))),
        "T83": _claim("iss", lambda iss: str(iss).endswith("/v2.0/")),
        "T84": _claim("iss", lambda iss: str(iss).isupper()),
        "T85": _lacks("iss"),
        "T86": _claim("iss", lambda iss: isinstance(iss, list)),
    },
    "audience": {
        "T88": _claim("aud", lambda aud: aud == OTHER_API),
        "T89": _claim("aud", lambda aud: isinstance(aud, list)),
        "T90": _lacks("aud"),
        "T91": _claim("aud", lambda aud: aud == ""),
        "T92": _claim("aud", lambda aud: str(aud).startswith("http")),
        "T93": _claim("aud", lambda aud: str(aud).startswith("api://")),
        "T94": _claim("aud", lambda aud: str(aud).startswith(DEFAULT_TENANT.audience_app_id)),
        "T115": accepts(lambda t: t.payload.get("aud") == OTHER_API and t.payload.get("azp") == EVENT_SERVICE_APP_ID),
    },
    "tenant": {
        "T96": _claim("tid", lambda tid: tid == DEFAULT_TENANT.other_tenant_id),
        "T97": _lacks("tid"),
    },
    "caller": {
        "T100": _claim("azp", lambda azp: azp == DEFAULT_TENANT.client.app_id),
        "T101": _claim("azp", lambda azp: azp == DEFAULT_TENANT.audience_app_id),
        "T102": accepts(lambda t: bool(t.payload) and "azp" not in t.payload and "appid" not in t.payload),
        "T103": accepts(lambda t: t.payload.get("ver") == "2.0" and t.payload.get("appid") == EVENT_SERVICE_APP_ID),
        "T104": accepts(lambda t: t.payload.get("ver") == "1.0" and t.payload.get("azp") == EVENT_SERVICE_APP_ID),
        "T105": _claim("appid", lambda appid: appid == EVENT_SERVICE_APP_ID),
        "T111": accepts(lambda t: "scp" in t.payload and t.payload.get("azp") != EVENT_SERVICE_APP_ID),
        "T113": accepts(lambda t: "nonce" in t.payload and "azp" not in t.payload),
    },
    "version": {
        "T107": _lacks("ver"),
        "T108": _claim("ver", lambda ver: ver == "3.0"),
        "T109": _claim("ver", lambda ver: isinstance(ver, float)),
    },
    "not_an_app_token": {
        "T112": _claim("scp", bool),
        "T114": _claim("idtyp", lambda idtyp: idtyp == "user"),
        "T116": accepts(lambda t: "nonce" in t.payload and t.payload.get("azp") == EVENT_SERVICE_APP_ID),
    },
    "expired": {
        "T120": _claim("exp", lambda exp: isinstance(exp, int) and exp > 1_000_000_000),
    },
    "exp_malformed": {
        "T121": _lacks("exp"),
        "T122": _claim("exp", lambda exp: isinstance(exp, str)),
        "T123": _claim("exp", lambda exp: exp is True),
        "T126": _claim("exp", lambda exp: exp == -1),
        "T127": _claim("exp", lambda exp: exp is None),
    },
    "not_yet_valid": {
        "T130": _claim("nbf", lambda nbf: isinstance(nbf, int)),
    },
    "nbf_malformed": {
        "T131": _claim("nbf", lambda nbf: isinstance(nbf, str)),
        "T132": _lacks("nbf"),
    },
    "issued_in_future": {
        "T133": _claim("iat", lambda iat: isinstance(iat, int)),
    },
    "iat_malformed": {
        "T134": _claim("iat", lambda iat: isinstance(iat, str)),
        "T135": _lacks("iat"),
    },
}

TOKEN_FAULTS: dict[str, PlantedFault] = flat(REFUSED) | ACCEPTED
