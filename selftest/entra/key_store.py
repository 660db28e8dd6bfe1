"""The private keys of the emulated tenant, by name: in a file that lasts from run to run, or in this process alone.

An endpoint's library caches the keys, and after an unknown key id it refuses to look again for 30 s (jose) to five
minutes (IdentityModel). A tenant with new keys in each run would therefore be refused in every run but the first. The
file also has the keys of the odd entries and of the next rollover, because an endpoint may have read those, too.
"""

import functools
import json
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from selftest.base.bounded_file import FileError
from selftest.entra.private_key import ec_key, pem, rsa_key
from selftest.entra.signing import SigningKeyPair
from selftest.entra.state_folder import read_object, state_folder, write_private

KEYS_FILE: Final = "keys.json"

#: The key that signs, the one that the next rollover withdraws, and the one that it publishes.
TENANT: Final = "tenant"
SPARE: Final = "spare"
NEXT: Final = "next"

#: One key for each odd entry, so that a token of one proves nothing about another.
ODD_RSA: Final = (
    "use-enc",
    "alg-rs512",
    "other-issuer",
    "key-ops-encrypt",
    "numeric-kid",
    "no-modulus",
    "bad-modulus",
    "same-id-1",
    "same-id-2",
)
ODD_SMALL_RSA: Final = "rsa-1024"
ODD_EC: Final = "ec-p256"
ODD_SECRET: Final = "oct"  # noqa: S105 - its name


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _new_rsa(bits: int = 2048) -> str:
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=bits))


_MAKERS: Final[Mapping[str, Callable[[], str]]] = {
    **dict.fromkeys((TENANT, SPARE, NEXT, *ODD_RSA), _new_rsa),
    ODD_SMALL_RSA: lambda: _new_rsa(1024),
    ODD_EC: lambda: pem(ec.generate_private_key(ec.SECP256R1())),
    ODD_SECRET: lambda: secrets.token_hex(32),
}


class KeyStore:
    """The keys of one tenant.

    Args:
        texts: The keys by name, as PEM or, for the shared secret, hexadecimal. A missing one is made when it is asked
            for.
        path: The file that a change is written to; None for the memory of this process.

    Attributes:
        replaced: Whether this run made other keys in place of those that an endpoint may have.
    """

    def __init__(self, texts: Mapping[str, str] | None = None, path: Path | None = None) -> None:
        self.replaced = False
        self._texts = dict(texts or {})
        self._path = path
        self._parsed: dict[str, object] = {}

    @classmethod
    def open(cls, *, new: bool = False, say: Callable[[str], None] = _say) -> Self:
        """Return the keys in this user's file, which is made if there is none.

        A damaged file is replaced, and a folder that cannot be written leaves the keys in memory; both are said.

        Args:
            new: Whether to make other keys.
            say: Called with what the user has to know.
        """
        path = state_folder() / KEYS_FILE
        store = cls(path=path)
        try:
            if new:
                store._replace()
            elif not path.exists():
                store._complete()
                if not write_private(path, store._document(), keep_existing=True):
                    return cls.open(say=say)  # another process was faster
            else:
                store._read()
        except FileError as error:
            say(f"{error}: the emulated tenant gets new keys; restart an endpoint that has the old ones")
            store._replace()
        except OSError as error:
            say(f"{path} cannot be written ({error.strerror}): this run's keys are for this run alone")
            store._path = None
            store._complete()
        return store

    def rsa(self, name: str) -> SigningKeyPair:
        """Return an RSA key with its certificate."""
        return self._keep(name, lambda text: SigningKeyPair.of(rsa_key(text)))

    def ec(self, name: str) -> ec.EllipticCurvePrivateKey:
        """Return an elliptic-curve key."""
        return self._keep(name, ec_key)

    def secret(self, name: str) -> bytes:
        """Return a shared secret."""
        return self._keep(name, bytes.fromhex)

    def next_rollover(self) -> None:
        """Make the published key of a rollover the one that the next rollover withdraws, and another one the next.

        An endpoint that has seen this rollover then knows the key that is published from the start. Keys of this
        process alone stay as they are: they meet no endpoint a second time.
        """
        if self._path is None:
            return
        self.rsa(SPARE)
        self._texts |= {SPARE: self._texts[NEXT], NEXT: _new_rsa()}
        self._parsed[SPARE] = self._parsed.pop(NEXT)
        self._save()

    def _keep[T](self, name: str, parse: Callable[[str], T]) -> T:
        if name not in self._parsed:
            if name not in self._texts:
                self._texts[name] = _MAKERS[name]()
            self._parsed[name] = parse(self._texts[name])
        found: T = self._parsed[name]  # type: ignore[assignment] # a name has one kind
        return found

    def _read(self) -> None:
        assert self._path is not None  # noqa: S101 - set by its caller
        texts = read_object(self._path)
        try:
            for name in texts.keys() & _MAKERS.keys():
                self._texts[name] = texts[name]
                parse: Callable[[str], object] = {ODD_EC: self.ec, ODD_SECRET: self.secret}.get(name, self.rsa)
                parse(name)
        except (TypeError, ValueError, AttributeError) as error:
            raise FileError(f"{self._path} holds no usable key {name!r}") from error
        if texts.keys() < _MAKERS.keys():
            self._complete()
            self._save()

    def _complete(self) -> None:
        self._texts |= {name: make() for name, make in _MAKERS.items() if name not in self._texts}

    def _replace(self) -> None:
        self._texts, self._parsed, self.replaced = {}, {}, True
        self._complete()
        self._save()

    def _document(self) -> str:
        return json.dumps(self._texts, indent=1)

    def _save(self) -> None:
        if self._path is not None:
            write_private(self._path, self._document())


@functools.cache
def process_keys() -> KeyStore:
    """Return this process's own keys: a run that starts the app itself needs no others."""
    return KeyStore()
