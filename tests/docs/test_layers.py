"""The guide to the layers names them all, and nothing that there is not."""

import re
from pathlib import Path

import pytest

from gatewise import cells, nn
from gatewise.nn import Recurrent

PAGE = (Path(__file__).parents[2] / "docs" / "layers.md").read_text()


@pytest.mark.parametrize("name", nn.__all__)
def test_every_layer_has_an_entry(name):
    assert re.search(rf"^\|[^|]*`{name}\b[^|]*\|", PAGE, re.MULTILINE)


def test_its_cells_are_cells():
    rows = PAGE.split("## Cells")[1].split("```")[0]
    names = [name for row in re.findall(r"^\| `(.*?)` \|", rows, re.MULTILINE)
             for name in row.split("`, `")]  # fmt: skip
    assert len(names) > 10
    assert set(names) <= {*cells.every_cell()}


def test_options_are_recurrents():
    rows = PAGE.split("| option or layer |")[1].split("```")[0]
    first = re.findall(r"^\| (.*?) \|", rows, re.MULTILINE)
    options = {name for cell in first for name in re.findall(r"`([a-z_]+)(?:=[^`]*)?`", cell)}
    assert {"connectivity", "init", "zoneout"} <= options
    assert options <= {*Recurrent.__init__.__annotations__}
