"""xLSTM's weights, beside a transcription of its cell, head by head."""

import numpy as np
import pytest
import torch

from gatewise import InputError
from gatewise.interop import from_xlstm

BATCH, TIME, HEADS, UNITS = 3, 6, 2, 4
HIDDEN = HEADS * UNITS
DRAW = np.random.default_rng(0)


def loop(recurrent, bias, sums):
    """Equations 8 to 17 of the paper, not stabilised; recurrent [gate, head, out, in]."""
    sums = sums.reshape(BATCH, TIME, 4, HEADS, UNITS)
    h = c = n = np.zeros((BATCH, HEADS, UNITS))
    outputs = []
    for x in sums.swapaxes(0, 1):
        raw = x + np.einsum("gnoi,bni->bgno", recurrent, h) + bias
        i, f = np.exp(raw[:, 0]), 1 / (1 + np.exp(-raw[:, 1]))
        c = f * c + i * np.tanh(raw[:, 2])
        n = f * n + i
        h = c / n / (1 + np.exp(-raw[:, 3]))
        outputs.append(h)
    return np.stack(outputs, 1).reshape(BATCH, TIME, HIDDEN)


def weights():
    return DRAW.normal(size=(4, HEADS, UNITS, UNITS)), DRAW.normal(size=(4, HEADS, UNITS))


def vanilla(recurrent, bias, prefix=""):
    kernel = recurrent.transpose(1, 0, 2, 3).reshape(HEADS, 4 * UNITS, UNITS)
    return {f"{prefix}_recurrent_kernel_": kernel, f"{prefix}_bias_": bias.reshape(-1)}


def cuda(recurrent, bias):
    kernel = recurrent.transpose(1, 3, 0, 2).reshape(HEADS, UNITS, 4 * UNITS)
    return {"_recurrent_kernel_": kernel, "_bias_": bias.swapaxes(0, 1).reshape(-1)}


@pytest.mark.parametrize(
    "layout",
    [vanilla, cuda, lambda *own: {"igate.weight": 0, **vanilla(*own, prefix="slstm_cell.")}],
    ids=["vanilla", "cuda", "layer"],
)
def test_layouts(layout):
    own = weights()
    sums = DRAW.normal(size=(BATCH, TIME, 4 * HIDDEN))
    y, state = from_xlstm(layout(*own))(torch.from_numpy(sums))
    torch.testing.assert_close(y, torch.from_numpy(loop(*own, sums)))
    assert state.m.shape == (1, BATCH, HIDDEN)


@pytest.mark.parametrize(
    ("state_dict", "says"),
    [
        ({}, "holds 0 entries _recurrent_kernel_"),
        ({**vanilla(*weights(), prefix="a."), **vanilla(*weights(), prefix="b.")}, "2 entries"),
        ({**vanilla(*weights()), "_recurrent_kernel_": np.ones((2, 8, 4))}, "4 \\* units"),
        ({**vanilla(*weights()), "_recurrent_kernel_": np.ones((8, 4))}, "must be"),
        ({**vanilla(*weights()), "_bias_": np.ones(8)}, "_bias_ of shape"),
    ],
    ids=range(5),
)
def test_wrong_input_is_one_sentence(state_dict, says):
    with pytest.raises(InputError, match=says) as raised:
        from_xlstm(state_dict)
    assert "\n" not in str(raised.value)
