"""``compare-callout``: what a captured request has and the emulated one has not, and no value of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from selftest.base.bounded_file import FileError
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.cli import main
from selftest.entra import key_store
from selftest.entra.key_store import process_keys
from selftest.entra.payloads import VARIETIES, Variety
from selftest.entra.signing import KeySet
from selftest.entra.token_mint import ABSENT, EntraVersion, TokenMint
from selftest.play.callout_comparison import compare
from selftest.play.captured_request import form, read_request
from tests.checkout import ROOT

ID = "0c000000-0000-4000-8000-000000000009"
SECRET = "a-secret-value"
MINT = TokenMint(
    DEFAULT_TENANT,
    f"https://login.microsoftonline.com/{ID}",
    KeySet(process_keys().rsa(key_store.TENANT)),
    lambda: 1_767_225_600.0,
)


def event(variety: Variety = VARIETIES[0]) -> dict[str, Any]:
    """Return a body."""
    return variety.build(DEFAULT_TENANT, ID)


def captured(directory: Path, body: Any, token: str | None = None, **headers: Any) -> Path:
    """Write a capture as JSON."""
    file = directory / "captured.json"
    given = {"Content-Type": "application/json", **headers}
    if token is not None:
        given["Authorization"] = f"Bearer {token}"
    file.write_text(json.dumps({"headers": given, "body": body}))
    return file


def differing(file: Path) -> dict[str, tuple[str | None, str | None]]:
    """Return the captured and the emulated form of each member that differs."""
    return {
        f"{each.part} {each.path}": (each.captured, each.emulated) for each in compare(read_request(file)).differences
    }


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("variety", VARIETIES, ids=lambda variety: variety.id)
def test_what_is_emulated_does_not_differ(variety: Variety, version: EntraVersion, tmp_path: Path) -> None:
    """Each documented kind of user and app, with another tenant's ids."""
    assert differing(captured(tmp_path, event(variety), MINT.callout_token(version))) == {}


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"iss": f"https://{ID}.ciamlogin.com/{ID}/v2.0"}, {}),
        ({"iss": f"https://contoso.ciamlogin.com/{ID}/v2.0"}, {}),
        ({"iss": f"https://login.microsoftonline.us/{ID}/v2.0"}, {"iss": "https://login.microsoftonline.us/<id>/v2.0"}),
        ({"iss": f"https://login.microsoftonline.com/{ID}/secret"}, {"iss": "https://login.microsoftonline.com/…"}),
        ({"iss": f"https://other.example/{ID}"}, {"iss": "a URI with https"}),
        ({"aud": "api://claims.contoso.example/x"}, {"aud": "a URI with api"}),
        ({"azp": ID}, {"azp": "a GUID"}),
        ({"roles": [SECRET, ID]}, {"roles": "a list of a GUID or a text"}),
        ({"exp": SECRET}, {"exp": "a text"}),
        ({"aio": ABSENT}, {"aio": None}),
    ],
)
def test_token_is_compared(claims: dict[str, Any], found: dict[str, str | None], tmp_path: Path) -> None:
    """By names and kinds; issuers by their host."""
    differences = differing(captured(tmp_path, event(), MINT.callout_token("2.0", **claims)))
    assert {path: ours for path, (ours, _) in differences.items()} == {
        f"token claims.{name}": value for name, value in found.items()
    }


def test_identifier_uri_in_version_1(tmp_path: Path) -> None:
    """The documented other audience of a version 1 token."""
    assert differing(captured(tmp_path, event(), MINT.callout_token("1.0", aud="api://x.example/y"))) == {}


def test_body_is_compared(tmp_path: Path) -> None:
    """Members that are new, missing, or of another kind; null is like absent where that may be absent."""
    body = event()
    context = body["data"]["authenticationContext"]
    context["user"] |= {"country": SECRET, "surname": None, "createdDateTime": 7}
    context["new"] = {"deep": {"er": [SECRET, None, {"x": 1}]}}
    del context["correlationId"]
    context["protocol"] = SECRET
    assert {
        path.removeprefix("body data.authenticationContext."): pair[0]
        for path, pair in differing(captured(tmp_path, body, MINT.callout_token())).items()
    } == {
        "user.country": "a text",
        "user.createdDateTime": "a number",
        "new.deep.er": "a list of a text or an object or null",
        "correlationId": None,
        "protocol": "a text",
    }


@pytest.mark.parametrize("token", ["x", "a.b.c", "$TOKEN", "W10.W10.", "e30.e30", ""])
def test_token_that_was_cut_out_is_not_compared(token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report says so."""
    assert main(["compare-callout", str(captured(tmp_path, event(), token))]) == 0
    assert "was not captured or cannot be decoded: token." in capsys.readouterr().out


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_form_of_a_file(end: str, tmp_path: Path) -> None:
    """HTTP as it is sent, JSON with a body as text, headers as lists, the body alone."""
    body, token = json.dumps(event()), MINT.callout_token()
    lines = ["POST /api/x HTTP/1.1", "Host: x", "content-TYPE: application/json", f"authorization: bearer {token}", ""]
    for text in (
        end.join([*lines, body]),
        json.dumps(
            {"headers": {"Content-Type": ["application/json"], "Authorization": [f"Bearer {token}"]}, "body": body}
        ),
        body,
    ):
        file = tmp_path / "request"
        file.write_text(text, newline="")
        request = read_request(file)
        assert compare(request).differences == ()
        assert bool(request.token) is (text != body)


def test_no_value_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the members are called and hold; names cannot harm a terminal or a table."""
    body = event()
    user = body["data"]["authenticationContext"]["user"]
    user.update({name: f"{SECRET}-{name}" for name in user}, **{"a|b\x1b[31m\u202e": SECRET, "n" * 500: [SECRET]})
    token = MINT.callout_token(email=f"{SECRET}@x", tid=SECRET, iss=f"https://{SECRET}.example/")
    file = captured(tmp_path, body, token, **{"x-key": SECRET, "x-forwarded-for": SECRET})
    assert main(["compare-callout", str(file)]) == 1
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert token[:60] not in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "a\\|b" in out
    assert max(map(len, out.splitlines())) < 400


@pytest.mark.parametrize(
    "text",
    ["", " \n", "{", "[]", "1", "null", '"x"', "POST / HTTP/1.1\n\n", '{"headers": {}, "body": "{"}', "[" * 100_000]
    + ['{"a":' * depth + "1" + "}" * depth for depth in (900, 5_000)],
)
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    """The error names the file and quotes nothing of it."""
    file = tmp_path / "request"
    file.write_text(text)
    try:
        read_request(file)
    except FileError as error:
        assert str(file) in str(error)
    else:
        assert text.count("{") == 900


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ((ROOT / "docs" / "samples" / "signins.json").read_text(), "it looks like a sign-in log"),
        ((ROOT / "docs" / "samples" / "two-actions.json").read_text(), "it looks like the reply of an endpoint"),
        ("HTTP/1.1 200 OK\n\n{}", "it looks like a whole HTTP reply"),
        ('{"unrelated": 1}', "nothing in it is like the documented event"),
    ],
)
def test_another_file_is_named(text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of differences would say nothing."""
    file = tmp_path / "request"
    file.write_text(text)
    assert main(["compare-callout", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"is not a captured callout: {says}" in err


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@hypothesis_settings(max_examples=150, deadline=None)
@given(body=_JSON, headers=_JSON)
def test_any_file_is_a_report_or_an_error(body: Any, headers: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No traceback."""
    file = tmp_path_factory.mktemp("any") / "request"
    file.write_text(json.dumps({"headers": headers, "body": body}))
    try:
        assert list(compare(read_request(file)).lines())
    except FileError as error:
        assert str(file) in str(error)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "a boolean"),
        (1.5, "a number"),
        ("", "an empty text"),
        ("saml", "'saml'"),
        ("2026-01-01T00:00:00Z", "a time"),
        ([], "a list of nothing"),
        ("http://x", "a URI with http"),
    ],
)
def test_form_of_a_value(value: object, kind: str) -> None:
    """Kinds, and documented constants."""
    assert form(value) == kind


def test_page_shows_the_real_output(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/real-callout.md runs its sample; until somebody has captured a request, it and the README say so."""
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "real-callout.md").read_text()
    command, _, shown = page.partition("$ python -m selftest ")[2].partition("```")[0].partition("\n")
    assert main(command.split()) == 1
    printed = capsys.readouterr().out.splitlines()
    for line in shown.splitlines():
        begin, _, end = line.partition("…")
        assert any(each.startswith(begin) and each.endswith(end) for each in printed), line
    assert "**No request of the real Entra has been captured" in " ".join(page.split())
    assert "No request of the real Entra was captured yet" in (ROOT / "README.md").read_text()
