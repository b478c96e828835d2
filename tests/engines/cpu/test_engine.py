"""Values and gradients are the reference engine's: all cells, sizes, layouts, losses and wishes."""

from typing import NamedTuple

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gatewise.cells import every_cell
from gatewise.compiler import Cell, Expr, Port, sigmoid, tanh
from gatewise.compiler.expr import var
from gatewise.engines.call import MEMORY
from gatewise.engines.cpu.plan import _replaced

from ...compiler.test_expressions import EXPRESSIONS
from ...contracts.test_every_engine import CELLS as RICH
from .calls import CPU, REFERENCE, agree, assert_near, drawn, flat, leaves, run, to, uneven

CELLS = every_cell()
PROJECTED = ("lstm", "peephole_lstm", "coupled_lstm")


# Layouts: from a plain x, a view that has its numbers elsewhere.


def time_first(x):
    return x.transpose(0, 1).contiguous().transpose(0, 1)


def strided_features(x):
    wide = torch.zeros(*x.shape, 3, dtype=x.dtype)
    wide[..., 1] = x
    return wide[..., 1]


def inside_a_larger_one(x):
    batch, time, features = x.shape
    large = torch.full((batch + 1, time + 2, features + 3), float("nan"), dtype=x.dtype)
    large[1:, 1:-1, 2:-1] = x
    return large[1:, 1:-1, 2:-1]


def features_first(x):
    return x.permute(2, 0, 1).contiguous().permute(1, 2, 0)


def one_sequence_for_all(x):
    return x[:1].expand_as(x)


def one_step_for_all(x):
    return x[:, :1].expand_as(x)


def one_number_for_all(x):
    return x[:1, :1, :1].expand_as(x)


LAYOUTS = [
    torch.Tensor.contiguous, time_first, strided_features, inside_a_larger_one, features_first,
    one_sequence_for_all, one_step_for_all, one_number_for_all,
]  # fmt: skip


def turned(w):
    return w.t().contiguous().t() if w.dim() == 2 else torch.stack([w, w], 1)[:, 1]


def in_rows(w):
    return torch.cat([w, w], 1)[:, w.shape[1] :] if w.dim() == 2 else torch.cat([w, w])[: len(w)]


WEIGHTS = [torch.Tensor.contiguous, turned, in_rows]


# Losses: which outputs are used, and how their gradients lie in memory.


def plain_sum(outputs):
    """The gradients are one number, expanded."""
    return sum(t.sum() for t in outputs)


def last_step(outputs):
    return outputs[0][:, -1:].square().sum() + 0 * outputs[-1].sum()


def only_outputs(outputs):
    return uneven(outputs[:1])


def only_final(outputs):
    return uneven(outputs[1:])


def only_last_state(outputs):
    return uneven(outputs[-1:])


def through_a_transposed_view(outputs):
    y = outputs[0].permute(2, 1, 0)
    return (y * torch.linspace(1, 2, y.numel(), dtype=y.dtype).view(y.shape)).sum()


def of_one_unit(outputs):
    return outputs[0][..., -1].square().sum() + outputs[-1][..., 0].sum()


LOSSES = [uneven, plain_sum, last_step, only_outputs, only_final, only_last_state,
          through_a_transposed_view, of_one_unit]  # fmt: skip

# Which of all that goes in wants a gradient, by name.
WISHES = {
    "all": lambda name: True,
    "input": lambda name: name == "x",
    "weights": lambda name: name[0] in "wbp",
    "state": lambda name: name == "state",
    "one": lambda name: name == "weight_hh",
    "not_input": lambda name: name != "x",
}


def wishing(call, wish):
    """The call with gradients wanted of some of its parts."""
    named = {"x": call.x, **call.weights} | ({"state": call.state[-1]} if call.state else {})
    for name, leaf in named.items():
        leaf.requires_grad_(wish(name))
    for state in call.state:
        state.requires_grad_(wish("state"))
    if not any(t.requires_grad for t in leaves(call)):
        call.x.requires_grad_()
    return call


class Case(NamedTuple):
    """A call by its sizes, so that a failing one is read at a glance."""

    name: str
    batch: int
    time: int
    input: int
    hidden: int
    proj: int
    bias: bool
    reverse: bool
    ragged: bool
    wish: str
    memory: str
    seed: int

    def call(self, dtype):
        """The call, on leaves."""
        draw = torch.Generator().manual_seed(self.seed)
        lengths = torch.randint(0, self.time + 1, (self.batch,), generator=draw)
        made = drawn(
            CELLS[self.name], self.batch, self.time, self.input, self.hidden, proj=self.proj,
            bias=self.bias, reverse=self.reverse, seed=self.seed, dtype=dtype,
            lengths=lengths if self.ragged else None, memory=self.memory,
        )  # fmt: skip
        return wishing(made, WISHES[self.wish])


@st.composite
def cases(draw, most=70):
    name, hidden = draw(st.sampled_from(list(CELLS))), draw(st.integers(1, most))
    proj = draw(st.integers(0, hidden - 1)) if name in PROJECTED and draw(st.booleans()) else 0
    flag = st.booleans()
    return Case(
        name, draw(st.integers(0, 40)), draw(st.integers(0, 20)), draw(st.integers(1, most)),
        hidden, proj, draw(flag), draw(flag), draw(flag), draw(st.sampled_from(list(WISHES))),
        draw(st.sampled_from(list(MEMORY))), draw(st.integers(0, 9)),
    )  # fmt: skip


def laid_out(call, layout, weights):
    """The same call with its numbers elsewhere in memory; gradients go to the same leaves."""
    if call.x.numel():
        call = call._replace(x=layout(call.x))
    return call._replace(weights={name: weights(w) for name, w in call.weights.items()})


def outcome(call, layout, weights, loss, engine):
    """Outputs, and gradients of the leaves."""
    outputs = flat(engine.run(laid_out(call, layout, weights)))
    total, wrt = loss(outputs), [t for t in leaves(call) if t.requires_grad]
    found = [torch.zeros_like(t) for t in wrt]
    if total.requires_grad:  # Without a step an output may depend on nothing.
        found = torch.autograd.grad(total, wrt, allow_unused=True, materialize_grads=True)
    return [t.detach() for t in outputs], found


SHAPES = {
    "case": cases(),
    "layout": st.sampled_from(LAYOUTS),
    "weights": st.sampled_from(WEIGHTS),
    "loss": st.sampled_from(LOSSES),
}


@settings(max_examples=80, deadline=None)
@given(**SHAPES)
def test_double_is_the_reference(case, layout, weights, loss):
    call = case.call(torch.float64)
    got, found = outcome(call, layout, weights, loss, CPU)
    want, exact = outcome(call, layout, weights, loss, REFERENCE)
    assert_near(got, want, 1e-12)
    assert_near(found, exact, 1e-12)


# Not drawn anew each time: a kink that float32 meets on its other side would be no error.
@settings(max_examples=80, deadline=None, derandomize=True)
@given(**SHAPES)
def test_float_is_the_reference_in_double(case, layout, weights, loss):
    single = case.call(torch.float32)
    got, found = outcome(single, layout, weights, loss, CPU)
    want, exact = outcome(to(single, torch.float64), layout, weights, loss, REFERENCE)

    def usual(part):
        return lambda: outcome(single, layout, weights, loss, REFERENCE)[part]

    assert_near(got, want, 2e-6, usual(0))
    assert_near(found, exact, 1e-5, usual(1))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_layout_with_every_loss(layout, loss):
    call = drawn(CELLS["lstm"], 3, 4, 5, 6, lengths=torch.tensor([4, 2, 3]), reverse=True)
    for weights in WEIGHTS:
        got, found = outcome(call, layout, weights, loss, CPU)
        want, exact = outcome(call, layout, weights, loss, REFERENCE)
        assert_near(got, want, 1e-13)
        assert_near(found, exact, 1e-12)


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("name", CELLS)
def test_only_what_is_wanted_has_a_gradient(name, wish):
    call = wishing(drawn(CELLS[name], 3, 4, 5, 6), WISHES[wish])
    wanted = [t.requires_grad for t in leaves(call)]
    y, state = CPU.run(call)
    uneven([y, *state]).backward()
    assert [t.grad is not None for t in leaves(call)] == wanted
    found = [t.grad for t in leaves(call) if t.requires_grad]
    assert_near(found, run(call, REFERENCE)[1], 1e-12)


LARGE = [(64, 30, 128, 256), (3, 700, 5, 20), (130, 3, 40, 33)]


@pytest.mark.parametrize("size", LARGE, ids=str)
@pytest.mark.parametrize("name", ["lstm", "gru_reset_before"])
def test_large(name, size):
    call = drawn(CELLS[name], *size, dtype=torch.float32)
    got, found = run(call)
    want, exact = run(to(call, torch.float64), REFERENCE)
    assert_near(got, want, 2e-6)
    assert_near(found, exact, 1e-5)


@pytest.mark.parametrize("size", [(2, 5, 1, 17), (5, 9, 33, 16), (1, 3, 8, 70)], ids=str)
@pytest.mark.parametrize("proj", [1, 8, 15])
@pytest.mark.parametrize("name", PROJECTED)
def test_projected(name, proj, size):
    batch = size[0]
    lengths = torch.arange(batch) * size[1] // max(batch - 1, 1)
    agree(drawn(CELLS[name], *size, proj=proj))
    agree(drawn(CELLS[name], *size, proj=proj, lengths=lengths, reverse=True, bias=False))


@pytest.mark.parametrize("time", [200, 2000])
def test_more_steps_than_wait_at_once_for_gradients_of_weights(time):
    agree(drawn(CELLS["lstm"], 7, time, 3, 9, scale=0.5))
    lengths = torch.tensor([time, 1, time // 2, 0, time - 1, 3, time])
    agree(drawn(CELLS["peephole_lstm"], 7, time, 3, 9, scale=0.5, lengths=lengths, reverse=True))


@pytest.mark.parametrize("name", RICH)
@settings(max_examples=6, deadline=None)
@given(
    batch=st.integers(1, 9), time=st.integers(1, 6), hidden=st.integers(1, 40),
    ragged=st.booleans(), reverse=st.booleans(), per_step=st.booleans(), seed=st.integers(0, 9),
)  # fmt: skip
def test_rich_cells_and_noise(name, batch, time, hidden, ragged, reverse, per_step, seed):
    cell = RICH[name]
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, time + 1, (batch,), generator=draw) if ragged else None
    steps = time if per_step else 1
    noise = {
        n: torch.rand(batch, steps, hidden, generator=draw, dtype=torch.float64)
        for n in cell.noises
    }
    agree(
        drawn(
            cell, batch, time, 5, hidden, lengths=lengths, reverse=reverse, noise=noise, seed=seed
        )
    )


def renamed(expression):
    """The drawn expression, with its `y` called as the cell's weight is."""
    return _replaced([expression], {var("y"): var("w")})[0]


def cell_of(first, second, reset):
    """A cell of two states that computes two expressions, and one more under a product."""
    first, second, reset = (None if e is None else renamed(e) for e in (first, second, reset))
    kinds = {"x": "gate", "v": "from_input", "n": "from_state", "w": "weight", "h": "state",
             "c": "state"}  # fmt: skip
    x, v, n, w, h, c = map(var, kinds)
    product = n if reset is None else Expr("product", (reset * h + 0.1 * c,), "n")
    outputs = (
        tanh(first + 0.3 * (h - w) + x), 0.5 * sigmoid(second) + 0.3 * c + 0.1 * v * product
    )  # fmt: skip
    return Cell("drawn", tuple(Port(name, kind) for name, kind in kinds.items()), outputs)


@settings(max_examples=20, deadline=None)
@given(first=EXPRESSIONS, second=EXPRESSIONS, reset=st.none() | EXPRESSIONS, ragged=st.booleans())
def test_drawn_equations(first, second, reset, ragged):
    lengths = torch.tensor([2, 0, 3]) if ragged else None
    call = drawn(cell_of(first, second, reset), 3, 3, 2, 11, lengths=lengths, scale=0.5)
    # Where a sigmoid is shut, a gradient is what rounding leaves of 1 - 1: there is no right one.
    _, gradients = run(call, REFERENCE)
    assume(all(g.abs().max() > 1e-3 or not g.any() for g in gradients))
    agree(call)
