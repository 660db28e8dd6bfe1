"""Private keys as PEM text, the form in which the tool's files have them."""

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """Return a key as PKCS #8 without encryption."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def rsa_key(text: str) -> rsa.RSAPrivateKey:
    """Return the RSA key in a text.

    Raises:
        ValueError: The text has no key.
        TypeError: The key is encrypted or of another kind.
    """
    key = load_pem_private_key(text.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("not an RSA key")
    return key


def ec_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Return the elliptic-curve key in a text.

    Raises:
        ValueError: The text has no key.
        TypeError: The key is encrypted or of another kind.
    """
    key = load_pem_private_key(text.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not an elliptic-curve key")
    return key
