"""One finding: where, which rule, and what to do."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that is wrong.

    Attributes:
        file: where it stands.
        line: counted from 1; 0 where the whole file is meant.
        rule: which rule is broken, in a word or two with hyphens.
        message: what was found and what was expected, naming the thing at fault.
    """

    file: Path
    line: int
    rule: str
    message: str

    def told(self, root: Path) -> str:
        """Write it as one line, the file relative to ``root``."""
        path = self.file.relative_to(root) if self.file.is_relative_to(root) else self.file
        return f"{path}:{self.line}: {self.rule}: {self.message}"
