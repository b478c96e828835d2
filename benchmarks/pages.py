"""Write into a page, between two lines that were put there for it."""

from __future__ import annotations

from pathlib import Path

from gatewise.errors import InputError


def marks(name: str) -> tuple[str, str]:
    """The lines before and after what is written.

    Example:
        >>> marks("figures")
        ('<!-- figures -->', '<!-- end of figures -->')
    """
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


def insert(page: Path, blocks: dict[str, str], said: str) -> None:
    """Replace what stands between the lines of each block that the page has.

    Args:
        page: A Markdown file.
        blocks: Name to what is written there; nothing leaves the place as it is.
        said: A sentence under each.

    Raises:
        InputError: The page has the lines of no block.
    """
    text, found = page.read_text(encoding="utf-8"), False
    for name, inside in blocks.items():
        begin, end = marks(name)
        before, opened, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not opened or not closed:
            continue
        found = True
        if inside:
            text = f"{before}{begin}\n{inside}\n\n{said}\n{end}{after}"
    if not found:
        names = " or ".join(" and ".join(marks(name)) for name in blocks)
        raise InputError(f"--readme {page}: it has no lines {names} to write between")
    page.write_text(text, encoding="utf-8")
