"""Write pages of layers outside the scheme: `python -m gatewise.nn.pages docs/layers`."""

from __future__ import annotations

import sys
from pathlib import Path

from .composites.pages import PAGES as COMPOSITES
from .page import text
from .parallel.pages import PAGES as PARALLEL
from .stepped.pages import PAGES as STEPPED

PAGES = PARALLEL | STEPPED | COMPOSITES
"""By file name without its ending."""


def pages() -> dict[str, str]:
    """Write all pages: file name to Markdown."""
    return {f"{name}.md": text(name, page) for name, page in PAGES.items()}


def main(folder: str) -> None:
    """Write the pages into a folder."""
    Path(folder).mkdir(exist_ok=True)
    for name, page in pages().items():
        Path(folder, name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
