"""A mistake to plant: a small change of a good file, and the rule that has to find it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        name: What is wrong, in words.
        file: The file to change.
        old: What is in the file; its first occurrence is meant.
        new: What takes its place.
        rule: The rule that has to find it: one of `tests.infra.rules`, or else one of the compiler's.
        named: What the message has to name.
    """

    name: str
    file: str
    old: str
    new: str
    rule: str
    named: str

    @property
    def is_bicep(self) -> bool:
        """Whether the compiler is asked about the file."""
        return self.file.endswith(".bicep")
