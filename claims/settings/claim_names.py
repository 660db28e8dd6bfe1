"""Which members of a record become claims, and under which names.

The setting's text is ``name`` or ``source:claim``, comma-separated. A source is a member's name, or a path with dots
into nested objects (``onPremisesExtensionAttributes.extensionAttribute1``). A claim may have any name: which names a
token may carry is a rule of the claims mapping policy's target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """The chosen members, in order.

    Attributes:
        pairs: Source and claim name; empty means every member under its own name.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the setting's text.

        Raises:
            ValueError: An entry has no source or no claim, or two entries name the same claim.
        """
        pairs = tuple(_pair(item.strip()) for item in text.split(",") if item.strip())
        claims = [claim for _, claim in pairs]
        for claim in claims:
            if claims.count(claim) > 1:
                raise ValueError(f"names the claim '{claim}' twice")
        return cls(pairs)

    @property
    def claims(self) -> frozenset[str]:
        """The claims' names, as far as the setting names them."""
        return frozenset(claim for _, claim in self.pairs)

    @property
    def sources(self) -> tuple[str, ...]:
        """The members to ask for, each once; of a path, its first part."""
        return tuple(dict.fromkeys(source.partition(".")[0] for source, _ in self.pairs))

    def select(self, members: Mapping[str, object]) -> dict[str, object]:
        """Return the chosen members under their claims' names; None for a member that is missing."""
        if not self.pairs:
            return dict(members)
        return {claim: _member(members, source) for source, claim in self.pairs}


def _pair(item: str) -> tuple[str, str]:
    source, colon, claim = (part.strip() for part in item.partition(":"))
    if not colon:
        claim = source.rpartition(".")[2]
    if not source or not claim:
        raise ValueError(f"must be 'name' or 'source:claim', comma-separated, got '{item}'")
    return source, claim


def _member(members: Mapping[str, object], source: str) -> object:
    name, dot, rest = source.partition(".")
    if source in members or not dot:
        return members.get(source)
    inner = members.get(name)
    return _member(inner, rest) if isinstance(inner, Mapping) else None
