"""A SAML app with OneLogin's python3-saml: it asks, reads the metadata, and verifies what it is posted."""

import asyncio
import base64
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import requests
from onelogin.saml2.auth import OneLogin_Saml2_Auth  # type: ignore[import-untyped] # the library ships no types
from onelogin.saml2.idp_metadata_parser import (  # type: ignore[import-untyped] # the same
    OneLogin_Saml2_IdPMetadataParser,
)

from selftest.entra.signing import generate_signing_key
from selftest.signin.saml.attribute_statement import AttributeStatement, SamlAttribute, attribute_statement
from selftest.signin.saml.messages import ResponseAddress, signed_response
from selftest.signin.server import SignInServer
from tests.clients.browser import Browser
from tests.clients.extension import Extension

# The library still asks for the time in a way that Python 3.12 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning")

ENTITY_ID = "https://legacy.sample.example/saml"
ACS = "http://localhost:5000/saml/acs"
ROLES = "https://sample.example/claims/roles"


class App:
    """A SAML app that is strict about everything that the library can be strict about.

    Args:
        entra: Whom it trusts.
        ca_file: How it reads their metadata.
        entity_id: What it calls itself.
        acs_url: Where it listens.
    """

    def __init__(self, entra: SignInServer, ca_file: str, *, entity_id: str = ENTITY_ID, acs_url: str = ACS) -> None:
        url = f"{entra.sign_in_authority_url}/federationmetadata/2007-06/federationmetadata.xml"
        metadata = requests.get(url, timeout=10, verify=ca_file).content
        own = {
            "strict": True,
            "sp": {"entityId": entity_id, "assertionConsumerService": {"url": acs_url}},
            "security": {"wantAssertionsSigned": True, "requestedAuthnContext": False},
        }
        self.settings = OneLogin_Saml2_IdPMetadataParser.merge_settings(
            own, OneLogin_Saml2_IdPMetadataParser.parse(metadata)
        )
        self.request_id = ""

    def ask(self, *, force: bool = False) -> str:
        """Return the URL to send the browser to."""
        auth = self._auth({})
        url: str = auth.login(return_to="r&s", force_authn=force)
        self.request_id = auth.get_last_request_id()
        return url

    def take(self, fields: dict[str, str]) -> Any:
        """Take what the browser posts, and give the library's view of it."""
        auth = self._auth(fields)
        auth.process_response(request_id=self.request_id)
        return auth

    def _auth(self, posted: dict[str, str]) -> Any:
        listens = {"https": "off", "http_host": "localhost:5000", "script_name": "/saml/acs"}
        return OneLogin_Saml2_Auth({**listens, "get_data": {}, "post_data": posted}, self.settings)


@pytest.fixture
async def app(entra: SignInServer, ca_file: str) -> App:
    """Return the app of the sample tenant."""
    return await asyncio.to_thread(App, entra, ca_file)


async def test_assertion_is_signed_and_enriched(
    entra: SignInServer, app: App, browser: Browser, extension: Extension
) -> None:
    """The app verifies the assertion and finds the mapped claims, and the relay state."""
    landing = await asyncio.to_thread(browser.open, app.ask(), user="ada")
    assert landing.url == ACS
    assert landing.fields["RelayState"] == "r&s"
    auth = app.take(landing.fields)
    assert not auth.get_errors(), auth.get_last_error_reason()
    assert auth.get_nameid() == "ada@sample.example"
    attributes = auth.get_attributes()
    assert attributes[ROLES] == ["Writer", "Editor"]
    assert attributes["https://sample.example/claims/birth"] == ["2000-01-01"]
    assert attributes["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"] == ["Ada"]
    xml = auth.get_last_response_xml()
    assert f'Name="{ROLES}" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"' in str(xml)
    (event,) = extension.events
    assert event["data"]["authenticationContext"]["protocol"] == "SAML"
    record = entra.service.log.records[-1]
    assert record.minted["saml"]["NameID"] == "ada@sample.example"
    assert record.minted["saml"][ROLES] == ["Writer", "Editor"]


async def test_changed_assertion_is_refused(app: App, browser: Browser) -> None:
    """A changed assertion is refused, and so is a response to another request."""
    landing = await asyncio.to_thread(browser.open, app.ask(), user="ada")
    forged = base64.b64decode(landing.fields["SAMLResponse"]).replace(b"Writer", b"Admins")
    assert app.take({"SAMLResponse": base64.b64encode(forged).decode()}).get_errors() == ["invalid_response"]
    app.request_id = "_another"
    assert "InResponseTo" in app.take(landing.fields).get_last_error_reason()


async def test_failed_extension_keeps_the_user_here(
    entra: SignInServer, app: App, browser: Browser, extension: Extension
) -> None:
    """As at Entra the user sees an error, and the app is not informed."""
    extension.mood = "refusing"
    landing = await asyncio.to_thread(browser.open, app.ask(), user="ada")
    assert (landing.status, landing.fields) == (400, {})
    record = entra.service.log.records[-1]
    assert record.callouts[0].verdict.code == 1003002
    assert "AADSTS1100001" in landing.text
    assert record.correlation_id in landing.text


async def test_user_who_is_not_assigned(app: App, browser: Browser, extension: Extension) -> None:
    """Only the users of the app get in."""
    landing = await asyncio.to_thread(browser.open, app.ask(), user="cleo")
    assert "AADSTS50105" in landing.text
    assert not extension.events


async def test_session_signs_in_again_unless_it_is_forced(app: App, browser: Browser) -> None:
    """A session needs no page, ForceAuthn does."""
    await asyncio.to_thread(browser.open, app.ask(), user="ada")
    again = await asyncio.to_thread(browser.open, app.ask())
    assert not app.take(again.fields).get_errors()
    forced = await asyncio.to_thread(browser.open, app.ask(force=True))
    assert "SAMLResponse" not in forced.fields
    assert "Sign in" in forced.text


@pytest.mark.parametrize(
    ("changes", "aadsts"),
    [
        ({"entity_id": "https://nobody.example"}, 700016),
        ({"acs_url": "https://evil.example/acs"}, 50011),
        ({"acs_url": "http://localhost:5000/other"}, 50011),
    ],
)
async def test_foreign_requests(
    entra: SignInServer, ca_file: str, browser: Browser, changes: dict[str, str], aadsts: int
) -> None:
    """An unknown app, or an address that is not its own, gets nothing."""
    stranger = await asyncio.to_thread(lambda: App(entra, ca_file, **changes))
    landing = await asyncio.to_thread(browser.open, stranger.ask(), user="ada")
    assert landing.status == 400
    assert f"AADSTS{aadsts}" in landing.text


#: A request that would be good.
PLAIN = (
    b'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="a">'
    b'<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">https://legacy.sample.example/saml</Issuer>'
    b"</samlp:AuthnRequest>"
)


def _deflated(text: bytes) -> str:
    return base64.b64encode(zlib.compress(text)[2:-4]).decode()


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(lambda: "", id="absent"),
        pytest.param(lambda: "%%%", id="no base64"),
        pytest.param(lambda: base64.b64encode(b"plain").decode(), id="not deflated"),
        pytest.param(lambda: _deflated(b"<a"), id="no XML"),
        pytest.param(lambda: _deflated(b"<a/>"), id="another element"),
        pytest.param(lambda: _deflated(PLAIN + b" " * 1_000_000), id="a bomb"),
        pytest.param(
            lambda: _deflated(
                b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
                b'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="a">'
                b'<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">&e;</Issuer></samlp:AuthnRequest>'
            ),
            id="an entity",
        ),
        pytest.param(
            lambda: _deflated(b"<!DOCTYPE x>" + PLAIN),
            id="a document type",
        ),
    ],
)
async def test_invalid_requests(entra: SignInServer, ca_file: str, encoded: Callable[[], str]) -> None:
    """What is no request is refused in one sentence, whatever it tries."""

    def ask() -> requests.Response:
        query = {"SAMLRequest": encoded()}
        return requests.get(f"{entra.sign_in_authority_url}/saml2", params=query, timeout=10, verify=ca_file)

    response = await asyncio.to_thread(ask)
    assert response.status_code == 400
    assert "AADSTS75" in response.text


async def test_plain_request_is_one(entra: SignInServer, ca_file: str) -> None:
    """The request that the broken ones are made from is good, and a post from another site chooses nobody."""
    url = f"{entra.sign_in_authority_url}/saml2"
    query = {"SAMLRequest": _deflated(PLAIN)}

    def ask() -> requests.Response:
        return requests.get(url, params=query, timeout=10, verify=ca_file)

    def press() -> requests.Response:
        headers = {"Origin": "https://evil.example"}
        return requests.post(
            f"{url}/user", params=query, data={"user": "ada"}, headers=headers, timeout=10, verify=ca_file
        )

    assert (await asyncio.to_thread(ask)).status_code == 200
    assert (await asyncio.to_thread(press)).status_code == 403
    assert not entra.service.log.records


async def test_extension_cannot_name_the_subject(entra: SignInServer) -> None:
    """A mapped claim is an attribute, also under the word that stands for the NameID here."""
    app, ada = entra.directory.app_named("legacy"), entra.directory.person("ada")
    assert app is not None
    assert ada is not None
    statement = attribute_statement(ada, app, entra.directory.tenant.tenant_id, {"NameID": "another"})
    assert statement.name_id == "ada@sample.example"
    assert statement.attributes[-1] == SamlAttribute(name="NameID", name_format=None, values=("another",))


def test_odd_characters_spoil_themselves_alone() -> None:
    """What XML cannot hold is left out of a value; the rest of the assertion stays whole."""
    odd = SamlAttribute(name="a\x01b", name_format=None, values=("x\x00y\ud800z", "\U0001f600"))
    to = ResponseAddress(issuer="i", audience="a", acs_url=ACS, request_id="r", session_index="s", at_s=0)
    statement = AttributeStatement(name_id="n\x02", attributes=(odd,))
    text = base64.b64decode(signed_response(statement, to, generate_signing_key(), lambda: "id")).decode()
    assert ">xyz<" in text
    assert "&#128512;" in text
