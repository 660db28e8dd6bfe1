"""SAML messages: the app's request, the signed response, and the metadata with the signing certificate.

signxml signs. Requests are read without entities, without a document type, without the network, and only up to a size.

Source: SAML 2.0 Core 2 and 3.4, Bindings 3.4 (deflate) and 3.5 (form post), Metadata 2.4.3; entra-docs
``single-sign-on-saml-protocol.md`` (members of the response, 70 minutes).
"""

import base64
import binascii
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree  # type: ignore[import-untyped] # lxml ships no types
from lxml.builder import ElementMaker  # type: ignore[import-untyped] # the same
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

from selftest.entra.signing import SigningKeyPair
from selftest.signin.refusals import refused
from selftest.signin.saml.attribute_statement import AttributeStatement
from selftest.signin.sign_in_log import timestamp

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
    """An app's request.

    Attributes:
        id: The id that the response refers to.
        issuer: The app's entity id.
        acs_url: The URL for the response; None means the registered one.
        force: Whether the user must choose in any case.
    """

    id: str
    issuer: str
    acs_url: str | None
    force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAddress:
    """The sender and the recipient of a response.

    Attributes:
        audience: The app's entity id.
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
        OAuthError: It is missing (AADSTS750054) or cannot be read (75005).
    """
    if not encoded:
        raise refused("saml-request-missing")
    try:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        document = inflater.decompress(base64.b64decode(encoded, validate=True), _MAX_REQUEST_BYTES)
        if not inflater.eof:
            raise refused("saml-request-too-long")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(document, parser)
    except (binascii.Error, zlib.error, etree.XMLSyntaxError, ValueError) as error:
        raise refused("saml-request-not-xml") from error
    issuer = root.findtext(f"{{{_ASSERTION}}}Issuer")
    identity = root.get("ID")
    if root.getroottree().docinfo.doctype or root.tag != f"{{{_PROTOCOL}}}AuthnRequest" or not issuer or not identity:
        raise refused("saml-request-incomplete")
    return AuthnRequest(
        id=identity,
        issuer=issuer.strip(),
        acs_url=root.get("AssertionConsumerServiceURL"),
        force=root.get("ForceAuthn", "false").lower() in {"true", "1"},
    )


def signed_response(
    statement: AttributeStatement, to: ResponseAddress, key: SigningKeyPair, new_id: Callable[[], str]
) -> str:
    """Return the response with a signed assertion, in base64 for the form."""
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
        IssueInstant=timestamp(to.at_s),
        Destination=to.acs_url,
        InResponseTo=to.request_id,
    )
    return base64.b64encode(etree.tostring(response)).decode()


def federation_metadata(issuer: str, sso_url: str, key: SigningKeyPair) -> bytes:
    """Return the metadata from which an app reads the signing certificate."""
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


def _assertion(statement: AttributeStatement, to: ResponseAddress, identity: str) -> Any:
    mail = "@" in statement.name_id
    until = timestamp(to.at_s + _LIFETIME_S)
    confirmation = _saml.SubjectConfirmationData(InResponseTo=to.request_id, NotOnOrAfter=until, Recipient=to.acs_url)
    return _saml.Assertion(
        _saml.Issuer(to.issuer),
        # signxml puts the signature here.
        _ds.Signature(Id="placeholder"),
        _saml.Subject(
            _saml.NameID(_printable(statement.name_id), Format=_EMAIL if mail else _PERSISTENT),
            _saml.SubjectConfirmation(confirmation, Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"),
        ),
        _saml.Conditions(
            _saml.AudienceRestriction(_saml.Audience(to.audience)),
            NotBefore=timestamp(to.at_s - _BACKDATED_S),
            NotOnOrAfter=until,
        ),
        _saml.AttributeStatement(
            *(_attribute(found.name, found.name_format, found.values) for found in statement.attributes)
        ),
        _saml.AuthnStatement(
            _saml.AuthnContext(_saml.AuthnContextClassRef("urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified")),
            AuthnInstant=timestamp(to.at_s),
            SessionIndex=to.session_index,
        ),
        ID=identity,
        Version="2.0",
        IssueInstant=timestamp(to.at_s),
    )


def _attribute(name: str, name_format: str | None, values: tuple[str, ...]) -> Any:
    kind = {} if name_format is None else {"NameFormat": name_format}
    return _saml.Attribute(
        *(_saml.AttributeValue(_printable(value)) for value in values), Name=_printable(name), **kind
    )


def _printable(text: str) -> str:
    """Return the text without characters that XML does not allow, so that only an odd value is affected."""
    return "".join(
        character
        for character in text
        if character in "\t\n"
        or " " <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character > "\uffff"
    )


def _pem(certificate: str) -> str:
    return ssl.DER_cert_to_PEM_cert(base64.b64decode(certificate))
