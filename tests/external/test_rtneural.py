"""RTNeural's golden signal: an LSTM of torch's, run sample by sample as its plugins do."""

import json

import numpy as np
import pytest
import torch

from gatewise import nn

from . import sources

pytestmark = pytest.mark.external

MODEL, *SIGNALS = sources.SIGNAL


@pytest.fixture(scope="module")
def golden():
    """The model's weights, what goes in and what must come out."""
    folder = sources.rtneural()
    for name in (MODEL, *SIGNALS):
        if not (folder / name).is_file():
            pytest.skip(f"{name} is not in {folder}: python -m tests.external.sources rtneural")
    weights = json.loads((folder / MODEL).read_text())
    x, y = (np.loadtxt(folder / name, dtype=np.float32, delimiter=",") for name in SIGNALS)
    return {name: torch.tensor(value) for name, value in weights.items()}, x, y


def parts(weights):
    """The layers in the order in which the file names them, each with its own weights."""
    found = {}
    for name, value in weights.items():
        part, _, own = name.rpartition(".")
        found.setdefault(part, {})[own] = value
    return list(found.values())


def lstm_of(weights):
    rows, features = weights["weight_ih_l0"].shape
    layer = nn.LSTM(features, rows // 4, sum(name.startswith("weight_ih") for name in weights))
    layer.load_state_dict(weights)
    return layer


def test_sample_by_sample(golden):
    weights, x, want = golden
    *recurrent, dense = parts(weights)
    streams = [lstm_of(own).stream() for own in recurrent]
    outputs = []
    for sample in x.reshape(len(x), -1):
        value = sample
        for stream in streams:
            value = stream.step(np.ascontiguousarray(value))
        outputs.append(dense["weight"].numpy() @ np.asarray(value).ravel() + dense["bias"].numpy())
    # RTNeural's own test allows 1e-6.
    np.testing.assert_allclose(np.stack(outputs).ravel(), want.ravel(), rtol=0, atol=1e-6)


def test_as_a_sequence(golden):
    weights, x, want = golden
    *recurrent, dense = parts(weights)
    value = torch.from_numpy(x.reshape(len(x), 1, -1))
    for own in recurrent:
        value, _ = lstm_of(own)(value)
    value = torch.nn.functional.linear(value, dense["weight"], dense["bias"])
    np.testing.assert_allclose(value.detach().numpy().ravel(), want.ravel(), rtol=0, atol=1e-6)
