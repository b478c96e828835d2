"""Pages of the layers outside the pointwise scheme: current, and their equations the layers'."""

from pathlib import Path

import pytest
import torch

import gatewise
from gatewise.nn import MinGRU, MinLSTM, Recurrent
from gatewise.nn.page import parameters
from gatewise.nn.pages import pages
from gatewise.nn.parallel.pages import min_gru, min_lstm

FOLDER = Path(__file__).parents[2] / "docs" / "layers"


@pytest.fixture(scope="module")
def written():
    return pages()


def test_pages_are_current(written):
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert kept == written, "python -m gatewise.nn.pages docs/layers"


def test_each_has_all_that_a_cells_page_has(written):
    for page in written.values():
        heads = [line for line in page.splitlines() if line.startswith("## ")]
        assert heads == ["## When to use it", "## Equations", "## Data flow", "## What it costs"]
        assert "https://" in page
        assert "Parameters of" in page


@pytest.mark.parametrize(("kind", "step"), [(MinLSTM, min_lstm), (MinGRU, min_gru)])
def test_equations_of_a_scan_are_its_layers(kind, step):
    layer, by_step = kind(3, 4).double(), Recurrent(step, 3, 4).double()
    by_step.load_state_dict(layer.state_dict())
    x = torch.randn(2, 6, 3, dtype=torch.float64)
    with gatewise.engine("reference"):
        y, last = by_step(x)
    torch.testing.assert_close(layer(x)[0], y)
    torch.testing.assert_close(tuple(layer(x)[1]), tuple(last))


def test_numbers_that_are_no_sum_of_the_terms_are_refused():
    with pytest.raises(ValueError, match="no sum of"):
        parameters(lambda n: torch.nn.Linear(n["I"], n["H"]), ("HI", "H^2"))
