"""Keys that are read back from a file."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from selftest.entra.private_key import pem, rsa_key


def test_a_key_is_read_back() -> None:
    """The numbers are those that were written."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert rsa_key(pem(key)).private_numbers() == key.private_numbers()


def test_a_number_that_was_damaged_is_refused() -> None:
    """The text is a key in form; nobody would accept its signatures."""
    text = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    lines = text.splitlines()
    lines[3] = lines[3].swapcase()  # in the modulus
    with pytest.raises(ValueError, match="do not belong together"):
        rsa_key("\n".join(lines))
