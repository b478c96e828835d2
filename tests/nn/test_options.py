"""What `Recurrent` takes beside a cell: connectivities, layer norm, clip, noise, starts, times."""

import pytest
import torch

import gatewise
from gatewise import InputError
from gatewise.cells import every_cell, lstm
from gatewise.compiler import clip, diagonal, layer_norm
from gatewise.connectivity import BlockSparse, Heads, LowRank, Masked
from gatewise.nn import Recurrent

CONNECTIVITIES = ["diagonal", "heads:2", "low_rank:3", "masked:0.3:0", "block_sparse:0.5:4x1:0"]
OPTIONS = {
    **{kind: {"connectivity": kind} for kind in CONNECTIVITIES},
    "ba": {"layer_norm": "ba"},
    "stored": {"layer_norm": "stored"},
    "clip": {"cell_clip": 0.05},
    "all": {"layer_norm": "ba", "cell_clip": 0.5, "zoneout": 0.1, "connectivity": "heads:2",
            "recurrent_dropout": 0.2, "weight_dropout": 0.2, "weight_noise": 0.05},
}  # fmt: skip


def layer_of(cell="lstm", **arguments):
    torch.manual_seed(0)
    return Recurrent(cell, 3, 8, **arguments)


def gradients(layer, y):
    layer.zero_grad()
    y.square().sum().backward()
    return {name: p.grad for name, p in layer.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("cell", ["lstm", "gru", "gru_reset_before", "peephole_lstm"])
@pytest.mark.parametrize("options", OPTIONS)
def test_the_chosen_engine_is_the_reference(options, cell):
    if options in ("clip", "all") and "c" not in every_cell()[cell].states:
        pytest.skip("there is no memory to clip")
    layer = layer_of(cell, num_layers=2, bidirectional=True, **OPTIONS[options]).double()
    x = torch.randn(3, 6, 3, dtype=torch.float64)
    torch.manual_seed(1)
    y, state = layer(x, lengths=[6, 0, 4])
    found = gradients(layer, y)
    torch.manual_seed(1)
    with gatewise.engine("reference"):
        wanted, end = layer(x, lengths=[6, 0, 4])
        right = gradients(layer, wanted)
    torch.testing.assert_close(y, wanted)
    torch.testing.assert_close(tuple(state), tuple(end))
    assert found.keys() == right.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, right[name])


@pytest.mark.parametrize("options", OPTIONS)
def test_steps_and_streams_are_the_sequence(options):
    layer, x = layer_of(num_layers=2, **OPTIONS[options]).eval(), torch.randn(2, 5, 3)
    y, end = layer(x)
    state, stream = None, layer.stream(2)
    for t in range(5):
        out, state = layer.step(x[:, t], state)
        torch.testing.assert_close(out, y[:, t])
        torch.testing.assert_close(stream.step(x[:, t].contiguous()), y[:, t].detach())
    torch.testing.assert_close(tuple(state), tuple(end))


@pytest.mark.parametrize("options", OPTIONS)
def test_every_weight_has_a_gradient(options):
    layer = layer_of(**OPTIONS[options]).train()
    found = gradients(layer, layer(torch.randn(4, 9, 3))[0])
    assert found.keys() == dict(layer.named_parameters()).keys()
    # The zeros of `weight_hh` are no weights.
    assert all(torch.isfinite(g).all() and g.abs().sum() > 0 for g in found.values())


@pytest.mark.parametrize(
    ("value", "text"),
    [(Heads(2), "heads:2"), (LowRank(3), "low_rank:3"), (Masked(0.3), "masked:0.3:0"),
     (BlockSparse(0.5, (4, 1)), "block_sparse:0.5:4x1:0")],
)  # fmt: skip
def test_a_connectivity_is_a_value_or_its_text(value, text):
    one, other = layer_of(connectivity=value), layer_of(connectivity=text)
    assert one.connectivity == other.connectivity == value
    x = torch.randn(2, 4, 3)
    torch.testing.assert_close(one(x)[0], other(x)[0])
    other.load_state_dict(one.state_dict())
    count = sum(p.numel() for p in one.parameters())
    assert count < sum(p.numel() for p in layer_of().parameters())


def test_transforms_are_those_of_the_compiler():
    assert layer_of(layer_norm="ba").cell == layer_norm(lstm, "ba")
    assert layer_of(connectivity="diagonal").cell == diagonal(lstm)
    assert layer_of(cell_clip=3).cell == clip(lstm, 3)


def test_layer_norm_has_no_other_biases():
    names = dict(layer_of(layer_norm="ba").named_parameters())
    assert not any("bias" in name for name in names)
    assert names["shift_f_l0"].tolist() == [1.0] * 8


def test_clip_limits_the_memory():
    layer = layer_of(cell_clip=0.05)
    _, state = layer(10 * torch.randn(2, 20, 3))
    assert state.c.abs().max() <= 0.05


def test_weight_noise_is_drawn_in_training_alone():
    layer, x = layer_of(weight_noise=0.1), torch.randn(2, 4, 3)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    with pytest.raises(InputError, match="weight_noise"):
        layer.step(x[:, 0])
    layer.eval()
    assert torch.equal(layer(x)[0], layer(x)[0])


def test_starts_follow_the_scheme():
    layer = layer_of(init={"weight_hh": "identity", "bias.f": 2.0})
    bias = layer.bias_ih_l0 + layer.bias_hh_l0
    assert bias[8:16].tolist() == [2.0] * 8
    assert torch.equal(layer.weight_hh_l0[:8], torch.eye(8))


@pytest.mark.parametrize("cell", ["phased_lstm", "time_aware_lstm"])
class TestGiven:
    def test_gaps_change_the_answer_and_ones_do_not(self, cell):
        layer, x = layer_of(cell), torch.randn(2, 6, 3)
        plain, _ = layer(x)
        ones, _ = layer(x, given={"dt": torch.ones(2, 6)})
        gaps, _ = layer(x, given={"dt": torch.rand(2, 6) * 9})
        torch.testing.assert_close(plain, ones)
        assert not torch.allclose(plain, gaps)

    def test_steps_are_the_sequence(self, cell):
        layer, x, dt = layer_of(cell, num_layers=2), torch.randn(2, 6, 3), torch.rand(2, 6)
        y, _ = layer(x, given={"dt": dt})
        state = None
        for t in range(6):
            out, state = layer.step(x[:, t], state, given={"dt": dt[:, t]})
            torch.testing.assert_close(out, y[:, t])

    def test_without_a_batch(self, cell):
        layer, x, dt = layer_of(cell), torch.randn(6, 3), torch.rand(6, dtype=torch.float64)
        y, _ = layer(x, given={"dt": dt})
        whole, _ = layer(x[None], given={"dt": dt[None]})
        torch.testing.assert_close(y, whole[0])

    def test_backwards_a_gap_is_that_of_the_step_after(self, cell):
        both, x, dt = layer_of(cell, bidirectional=True), torch.randn(2, 6, 3), torch.rand(2, 6)
        alone = layer_of(cell)
        own = dict(both.named_parameters())
        alone.load_state_dict({name: own[f"{name}_reverse"] for name in alone.state_dict()})
        y, _ = both(x, given={"dt": dt}, lengths=[6, 4])
        for row, length in enumerate([6, 4]):
            turned = torch.cat([torch.ones(1), dt[row, 1:length].flip(0)])
            back, _ = alone(x[row, :length].flip(0), given={"dt": turned})
            torch.testing.assert_close(y[row, :length, 8:], back.flip(0))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"connectivity": "heds:2"}, "heads"),
        ({"connectivity": "heads"}, "heads:N"),
        ({"connectivity": 3}, "gatewise.connectivity"),
        ({"connectivity": "heads:3"}, "hidden_size=8"),
        ({"connectivity": "heads:2", "proj_size": 3}, "projection"),
        ({"layer_norm": "baa"}, "did you mean 'ba'"),
        ({"cell_clip": -1}, "clip"),
        ({"weight_noise": -0.1}, "weight_noise=-0.1"),
        ({"init": "orthogonl"}, "orthogonal"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(arguments, said):
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        layer_of(**arguments)


@pytest.mark.parametrize(
    ("cell", "given", "said"),
    [
        ("lstm", {"dt": torch.ones(2, 5)}, "is given nothing"),
        ("phased_lstm", {"t": torch.ones(2, 5)}, "dt"),
        ("phased_lstm", {"dt": torch.ones(2, 4)}, r"\[batch, time\], here \(2, 5\)"),
        ("phased_lstm", {"dt": 1.0}, "float"),
    ],
    ids=str,
)
def test_what_is_given_wrongly_is_said(cell, given, said):
    with pytest.raises(InputError, match=said):
        layer_of(cell)(torch.randn(2, 5, 3), given=given)


def test_clocks_are_drawn_unless_said():
    layer = Recurrent("phased_lstm", 3, 400)
    period = layer.log_period_l0.exp()
    assert 1 <= period.min() < 2 and 800 < period.max() <= 1000  # noqa: PT018
    assert 0.3 < (layer.shift_l0 / period).mean() < 0.7
    fixed = Recurrent("phased_lstm", 3, 8, init={"log_period": 1.5, "shift": 0.0})
    assert fixed.log_period_l0.tolist() == [1.5] * 8
    assert fixed.shift_l0.tolist() == [0.0] * 8
