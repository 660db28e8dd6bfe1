"""SAML messages: the request that an app sends, the signed response, and the metadata that names the key.

The signature is signxml's. Requests are read without entities, without a document type and without the network, and no
further than a real one goes.

Source: SAML 2.0 Core 2 and 3.4, Bindings 3.4 (deflate) and 3.5 (form post), Metadata 2.4.3; entra-docs
``single-sign-on-saml-protocol.md`` (members of the response, 70 minutes).
"""

import base64
import binascii
import datetime as dt
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree  # type: ignore[import-untyped] # lxml ships no types
from lxml.builder import ElementMaker  # type: ignore[import-untyped] # the same
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

from selftest.entra.oauth_error import OAuthError
from selftest.entra.signing import SigningKeyPair
from selftest.signin.saml.attribute_statement import AttributeStatement

_PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
_ASSERTION: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
_METADATA: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
_SIGNATURE: Final = "http://www.w3.org/2000/09/xmldsig#"
_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"

_MAX_REQUEST_BYTES: Final = 64 * 1024
_BACKDATED_S: Final = 300
_LIFETIME_S: Final = 4200

_samlp: Final = ElementMaker(namespace=_PROTOCOL, nsmap={"samlp": _PROTOCOL})
_saml: Final = ElementMaker(namespace=_ASSERTION, nsmap={None: _ASSERTION})
_md: Final = ElementMaker(namespace=_METADATA, nsmap={None: _METADATA, "ds": _SIGNATURE})
_ds: Final = ElementMaker(namespace=_SIGNATURE, nsmap={"ds": _SIGNATURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthnRequest:
    """What an app asks.

    Attributes:
        id: What the response answers.
        issuer: The app's entity id.
        acs_url: Where it wants the response; None leaves it to the registration.
        force: Whether the user has to be asked in any case.
    """

    id: str
    issuer: str
    acs_url: str | None
    force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """To whom a response goes.

    Attributes:
        issuer: Who says it.
        audience: The app's entity id.
        acs_url: Where it is posted.
        request_id: What it answers.
        session_index: The browser's session.
        at_s: Seconds since 1970.
    """

    issuer: str
    audience: str
    acs_url: str
    request_id: str
    session_index: str
    at_s: float


def read_request(encoded: str) -> AuthnRequest:
    """Read a ``SAMLRequest`` of the redirect binding.

    Raises:
        OAuthError: It is none (AADSTS750054 where it is missing, 75005 where it cannot be read).
    """
    if not encoded:
        raise OAuthError("invalid_request", "SAMLRequest must be present in the query string", aadsts=750054)
    try:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        document = inflater.decompress(base64.b64decode(encoded, validate=True), _MAX_REQUEST_BYTES)
        if not inflater.eof:
            raise OAuthError("invalid_request", "the SAMLRequest is too long or cut off", aadsts=75005)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(document, parser)
    except (binascii.Error, zlib.error, etree.XMLSyntaxError, ValueError) as error:
        raise OAuthError("invalid_request", "the SAMLRequest is no deflated XML in base64", aadsts=75005) from error
    issuer = root.findtext(f"{{{_ASSERTION}}}Issuer")
    identity = root.get("ID")
    if root.getroottree().docinfo.doctype or root.tag != f"{{{_PROTOCOL}}}AuthnRequest" or not issuer or not identity:
        raise OAuthError("invalid_request", "expected an AuthnRequest with an ID and an Issuer", aadsts=75005)
    return AuthnRequest(
        id=identity,
        issuer=issuer.strip(),
        acs_url=root.get("AssertionConsumerServiceURL"),
        force=root.get("ForceAuthn", "false").lower() in {"true", "1"},
    )


def signed_response(
    statement: AttributeStatement, to: Addressed, key: SigningKeyPair, new_id: Callable[[], str]
) -> str:
    """Build the response with its assertion signed, in base64 as the form carries it."""
    assertion = _assertion(statement, to, f"_{new_id()}")
    signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    signed = signer.sign(
        assertion, key=key.private_key, cert=_pem(key.certificate), reference_uri=f"#{assertion.get('ID')}"
    )
    response = _samlp.Response(
        _saml.Issuer(to.issuer),
        _samlp.Status(_samlp.StatusCode(Value="urn:oasis:names:tc:SAML:2.0:status:Success")),
        signed,
        ID=f"_{new_id()}",
        Version="2.0",
        IssueInstant=_instant(to.at_s),
        Destination=to.acs_url,
        InResponseTo=to.request_id,
    )
    return base64.b64encode(etree.tostring(response)).decode()


def federation_metadata(issuer: str, sso_url: str, key: SigningKeyPair) -> bytes:
    """Give the metadata that an app reads the signing certificate from."""
    certificate = _ds.KeyInfo(_ds.X509Data(_ds.X509Certificate(key.certificate)))
    entity = _md.EntityDescriptor(
        _md.IDPSSODescriptor(
            _md.KeyDescriptor(certificate, use="signing"),
            _md.SingleSignOnService(Binding=_REDIRECT, Location=sso_url),
            protocolSupportEnumeration=_PROTOCOL,
        ),
        entityID=issuer,
    )
    text: bytes = etree.tostring(entity, xml_declaration=True, encoding="utf-8")
    return text


def _assertion(statement: AttributeStatement, to: Addressed, identity: str) -> Any:
    mail = "@" in statement.name_id
    until = _instant(to.at_s + _LIFETIME_S)
    confirmation = _saml.SubjectConfirmationData(InResponseTo=to.request_id, NotOnOrAfter=until, Recipient=to.acs_url)
    return _saml.Assertion(
        _saml.Issuer(to.issuer),
        # Where the signature belongs: signxml puts it in this place.
        _ds.Signature(Id="placeholder"),
        _saml.Subject(
            _saml.NameID(_printable(statement.name_id), Format=_EMAIL if mail else _PERSISTENT),
            _saml.SubjectConfirmation(confirmation, Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"),
        ),
        _saml.Conditions(
            _saml.AudienceRestriction(_saml.Audience(to.audience)),
            NotBefore=_instant(to.at_s - _BACKDATED_S),
            NotOnOrAfter=until,
        ),
        _saml.AttributeStatement(
            *(_attribute(found.name, found.name_format, found.values) for found in statement.attributes)
        ),
        _saml.AuthnStatement(
            _saml.AuthnContext(_saml.AuthnContextClassRef("urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified")),
            AuthnInstant=_instant(to.at_s),
            SessionIndex=to.session_index,
        ),
        ID=identity,
        Version="2.0",
        IssueInstant=_instant(to.at_s),
    )


def _attribute(name: str, name_format: str | None, values: tuple[str, ...]) -> Any:
    kind = {} if name_format is None else {"NameFormat": name_format}
    return _saml.Attribute(
        *(_saml.AttributeValue(_printable(value)) for value in values), Name=_printable(name), **kind
    )


def _printable(text: str) -> str:
    """Leave out what XML cannot hold, so that an odd claim value spoils itself alone."""
    return "".join(
        character
        for character in text
        if character in "\t\n"
        or " " <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character > "\uffff"
    )


def _instant(at_s: float) -> str:
    return f"{dt.datetime.fromtimestamp(at_s, dt.UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def _pem(certificate: str) -> str:
    lines = "\n".join(certificate[start : start + 64] for start in range(0, len(certificate), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
