"""The spec that tasks share: torch-free, checked, and data."""

import json
import subprocess
import sys

import pytest

from gatewise import InputError
from gatewise.compiler import Gate, State, cell, tanh
from gatewise.nn import Encoder


@cell
def plain(a: Gate, h: State):
    return tanh(a)


def test_making_one_imports_no_torch():
    code = (
        "import sys; from gatewise.nn import Encoder; Encoder(cell='gru');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("own", ["gru", plain])
def test_it_goes_through_json_and_builds_the_layers(own):
    spec = Encoder(cell=own, hidden_size=7, num_layers=2, dropout=0.0, bidirectional=True)
    again = Encoder.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    layer = again.build(3)
    assert (layer.input_size, layer.hidden_size, layer.num_layers) == (3, 7, 2)
    assert layer.cell.name == (own if isinstance(own, str) else "plain")
    assert layer.output_size == spec.output_size == 14


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cell": "lsmt"}, "did you mean 'lstm'"),
        ({"cell": 3}, "neither a cell nor the name"),
        ({"hidden_size": 0}, "hidden_size=0"),
        ({"num_layers": 1.5}, "num_layers=1.5"),
        ({"dropout": -0.1}, "dropout=-0.1"),
        ({"bidirectional": 1}, "bidirectional=1"),
    ],
    ids=str,
)
def test_wrong_fields_are_refused(options, says):
    with pytest.raises(InputError, match=says):
        Encoder(**options)
