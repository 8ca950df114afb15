"""Pages of benchmarks to which several of them write, a section each."""

from __future__ import annotations

import re

__all__ = ["put_section"]


def put_section(page: str, section: str) -> str:
    r"""
    Return a page with the section of the same heading replaced, or with one more at its end.

    Parameters
    ----------
    page : str
        With a title of its own.
    section : str
        From ``## Heading`` to its end.

    Examples
    --------
    >>> put_section("# Speed\n\n## A\n\n1 s\n\n## B\n\n2 s\n", "## A\n\n3 s\n")
    '# Speed\n\n## A\n\n3 s\n\n## B\n\n2 s\n'
    """
    before, after, section = page.rstrip("\n") + "\n", "", section.rstrip("\n") + "\n"
    heading = section.partition("\n")[0]
    if old := re.search(rf"^{re.escape(heading)}\n", before, re.MULTILINE):
        rest = re.search(r"^## ", before[old.end() :], re.MULTILINE)
        after = "\n" + before[old.end() + rest.start() :] if rest else ""
        before = before[: old.start()]
    return before.rstrip("\n") + "\n\n" + section + after
