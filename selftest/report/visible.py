"""What came from elsewhere, made safe to look at: nothing in it can steer a terminal or turn the reading of a page.

Escaping for a form's own syntax (HTML, XML) is that form's; this is about characters that no syntax forbids.
"""


def visible(text: str) -> str:
    """Write out what a terminal or a browser would obey: escape sequences and direction marks can come from anywhere.

    Source: Unicode Technical Report 36, section 2.5, and CVE-2021-42574 ("Trojan Source").
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
