"""Private keys as PEM text, the form in which the tool's files have them."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """Return a key as PKCS #8 without encryption."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def rsa_key(text: str) -> rsa.RSAPrivateKey:
    """Return the RSA key in a text.

    Raises:
        ValueError: The text has no key, or one whose signature does not verify.
        TypeError: The key is encrypted or of another kind.
    """
    # Proving that its numbers are primes takes 40 ms, for each of a dozen keys at every start; that it signs, 2 ms.
    key = load_pem_private_key(text.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("not an RSA key")
    try:
        key.public_key().verify(key.sign(b"", PKCS1v15(), SHA256()), b"", PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise ValueError("the parts of the RSA key do not belong together") from error
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
