"""The spec that tasks share: torch-free, checked, and data."""

import json
import subprocess
import sys

import pytest
import torch

from gatewise import InputError
from gatewise.compiler import Gate, State, cell, tanh
from gatewise.connectivity import Heads
from gatewise.export import decode, encode
from gatewise.nn import Encoder

OPTIONS = {
    "connectivity": "heads:2", "layer_norm": "ba", "cell_clip": 3.0, "zoneout": 0.1,
    "recurrent_dropout": 0.2, "recurrent_dropout_kind": "gal", "weight_dropout": 0.3,
    "init": "identity",
}  # fmt: skip


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


def test_options_reach_the_layers():
    spec = Encoder(hidden_size=8, **OPTIONS)
    layer = Encoder.from_dict(json.loads(json.dumps(spec.to_dict()))).build(3)
    assert layer.connectivity == Heads(2)
    assert {name: getattr(layer, name) for name in OPTIONS if name != "connectivity"} == {
        name: value for name, value in OPTIONS.items() if name != "connectivity"
    }
    assert layer.cell.hypers["clip_c"] == 3


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_alone_is_one_that_the_layer_shows(option):
    spec = Encoder(hidden_size=8, **{option: OPTIONS[option]})
    assert f"{option}={OPTIONS[option]!r}" in repr(spec.build(3))


def test_checking_options_draws_nothing():
    before = torch.get_rng_state()
    Encoder(hidden_size=8, **OPTIONS)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_was_saved_before_there_were_options_is_read():
    held = encode(Encoder(cell="gru", hidden_size=7))
    for name in OPTIONS:
        del held["fields"][name]
    assert decode(held, {"Encoder": Encoder}) == Encoder(cell="gru", hidden_size=7)
    spec = Encoder(hidden_size=8, **OPTIONS)
    assert decode(json.loads(json.dumps(encode(spec))), {"Encoder": Encoder}) == spec


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cell": "lsmt"}, "did you mean 'lstm'"),
        ({"cell": 3}, "neither a cell nor the name"),
        ({"hidden_size": 0}, "hidden_size=0"),
        ({"num_layers": 1.5}, "num_layers=1.5"),
        ({"dropout": -0.1}, "dropout=-0.1"),
        ({"bidirectional": 1}, "bidirectional=1"),
        ({"connectivity": "hedas:4"}, "did you mean 'heads'"),
        ({"connectivity": "heads:5"}, "128 units do not make 5 heads"),
        ({"connectivity": Heads(4)}, "give its text, such as 'heads:4'"),
        ({"connectivity": 4}, "connectivity=4"),
        ({"layer_norm": "bb"}, "layer_norm knows these"),
        ({"cell_clip": -1.0}, "cell_clip=-1.0: clip takes"),
        ({"cell": "gru", "cell_clip": 1.0}, "cell gru computes no memory"),
        ({"zoneout": {"c": 0.1}}, "zoneout={'c': 0.1}: give a rate"),
        ({"zoneout": 1.0}, "zoneout=1.0"),
        ({"recurrent_dropout": -0.1}, "recurrent_dropout=-0.1"),
        ({"recurrent_dropout_kind": "gall"}, "did you mean 'gal'"),
        ({"cell": "indrnn", "weight_dropout": 0.1}, "no recurrent weights to drop"),
        ({"init": "ortogonal"}, "did you mean 'orthogonal'"),
        ({"init": {"bias.f": 1.0}}, "give a scheme as text"),
    ],
    ids=str,
)
def test_wrong_fields_are_refused(options, says):
    with pytest.raises(InputError, match=says):
        Encoder(**options)
