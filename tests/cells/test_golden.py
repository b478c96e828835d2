"""What is generated for each cell, kept as text so that a change shows in the diff.

`GATEWISE_REGENERATE=1 pytest tests/cells/test_golden.py` writes the files anew.
"""

import os
from pathlib import Path

import pytest

from gatewise.cells import every_cell
from gatewise.cells.__main__ import pages
from gatewise.compiler import equations, step_source, vjp_source

ROOT = Path(__file__).parents[2]
EMITTERS = {"step.txt": step_source, "vjp.txt": vjp_source, "tex": equations}
FILES = {
    ROOT / "tests" / "golden" / "cells" / f"{name}.{ending}": emit(cell).rstrip("\n") + "\n"
    for name, cell in every_cell().items()
    for ending, emit in EMITTERS.items()
} | {ROOT / "docs" / "cells" / name: page for name, page in pages().items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_generated_text_is_the_kept_one(path):
    if os.environ.get("GATEWISE_REGENERATE"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES[path])
    assert path.read_text() == FILES[path]


def test_nothing_else_is_kept():
    for folder in (ROOT / "tests" / "golden" / "cells", ROOT / "docs" / "cells"):
        assert set(folder.iterdir()) == {path for path in FILES if path.parent == folder}
