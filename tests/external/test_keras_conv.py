"""`ConvRecurrent` beside Keras' ConvLSTM: values and gradients."""

import sys

import pytest
import torch

from gatewise.nn import ConvRecurrent

from . import sources

pytestmark = [pytest.mark.external, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """Keras on torch, from its own environment; what is installed here goes first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(sources.keras_packages())])
        patch.setenv("KERAS_BACKEND", "torch")
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        reason = "Keras is not there: python -m tests.external.sources keras"
        yield pytest.importorskip("keras", reason=reason)


def take_over(ours, theirs):
    """Copy Keras' weights, [*kernel, channels, rows] with the rows i, f, c, o."""
    with torch.no_grad():
        for name, weight in (("ih", theirs.kernel), ("hh", theirs.recurrent_kernel)):
            getattr(ours, f"weight_{name}_l0").copy_(weight.value.movedim((-1, -2), (0, 1)))
        ours.bias_ih_l0.copy_(theirs.bias.value)
        ours.bias_hh_l0.zero_()


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(
    ("strides", "padding", "dilation"),
    [(1, "same", 1), (1, "valid", 1), (2, "valid", 1), (1, "same", 2)],
    ids=["same", "valid", "strided", "dilated"],
)
def test_convlstm(keras, dims, strides, padding, dilation):
    layer = getattr(keras.layers, f"ConvLSTM{dims}D")(
        4, 3, strides=strides, padding=padding, dilation_rate=dilation, return_sequences=True,
        return_state=True, bias_initializer="random_normal", unit_forget_bias=False,
        data_format="channels_first",
    )  # fmt: skip
    x = torch.randn(2, 3, 2, *(7, 6, 5)[:dims], generator=torch.Generator().manual_seed(0))
    layer(x)
    ours = ConvRecurrent(
        "lstm", 2, 4, 3, dims=dims, stride=strides, padding=padding, dilation=dilation
    )
    take_over(ours, layer.cell)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    want, h, c = layer(a)
    got, state = ours(b)
    close = {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(got, want, **close)
    torch.testing.assert_close(state.h[0], h, **close)
    torch.testing.assert_close(state.c[0], c, **close)
    for out in (want, got):
        (out * torch.linspace(-1, 1, out.numel()).reshape(out.shape)).sum().backward()
    torch.testing.assert_close(b.grad, a.grad, **close)
