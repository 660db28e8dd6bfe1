"""One endpoint in a few lines for each library, with the values of an emulated tenant filled in.

Each is a whole program, so that its first verdict takes minutes: it validates the token as Microsoft documents, and
returns one claim. Its values can be set in its environment, so that the same program serves the real tenant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

_PLACE: Final = re.compile(r"\{\{([A-Z0-9_]+)\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """One endpoint to paste.

    Attributes:
        library: Its name on the command line; the text is in the file of this name.
        comment: What starts a comment in its language.
        tested: Whether the tests of this tool run it. The others are written from documentation.
    """

    library: str
    comment: str
    tested: bool

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the program with these values, below a line that says whether the tests run it.

        Raises:
            KeyError: The text names a value that is not given.
        """
        text = files(__package__).joinpath(f"{self.library}.txt").read_text("utf-8")
        state = "The tests of entra-selftest run it." if self.tested else "From documentation: no test runs it."
        return f"{self.comment} A whole program. {state}\n" + _PLACE.sub(lambda place: values[place[1]], text)


SNIPPETS: Final[Mapping[str, Snippet]] = {
    snippet.library: snippet
    for snippet in (
        Snippet(library="aspnet", comment="//", tested=False),
        Snippet(library="spring", comment="//", tested=False),
        Snippet(library="node-jose", comment="//", tested=True),
        Snippet(library="express", comment="//", tested=True),
        Snippet(library="fastapi", comment="#", tested=True),
        Snippet(library="pyjwt", comment="#", tested=True),
        Snippet(library="go", comment="//", tested=False),
    )
}
