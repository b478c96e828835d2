"""What every layer owes, of whatever cell, connectivity and options, on every engine."""

import copy
import io
import pickle

import pytest
import torch
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

import gatewise
from gatewise.cells import every_cell

from .layers import (
    ALL,
    FIRST,
    HIDDEN,
    KINDS,
    LAST,
    LENGTHS,
    OPTIONS,
    TIME,
    able,
    answer,
    cases,
    given_to,
    layer_of,
    options,
    rotated,
    run,
    same,
)

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")


def one_way(pairs):
    """Those that do not look ahead."""
    return [pair for pair in pairs if not KINDS[pair[1]](HIDDEN).get("bidirectional")]


def outputs_of(layer, found):
    """The outputs, each direction's where they are apart; and the states."""
    count = 2 if layer.bidirectional and layer.merge is None else 1
    return found[:count], found[count:]


def test_every_argument_is_an_option():
    assert options() | {"everything"} == OPTIONS.keys()


@pytest.mark.parametrize("offset", range(3))
def test_everything_has_its_turn(offset):
    cells, kinds = zip(*rotated(offset), strict=True)
    assert set(cells) == every_cell().keys()
    assert set(kinds) == KINDS.keys()


@cases(rotated(0))
def test_engines_agree_in_both_types(cell, kind):
    layer = layer_of(cell, kind)
    given = given_to(layer, lengths=None if len(cell) % 2 else LENGTHS)
    for used in (ALL, FIRST, LAST):
        want, slopes = answer(layer, given, "reference", used)
        for engine in able(layer, given)[:-1]:
            outputs, found = answer(layer, given, engine, used)
            same(outputs, want, 1e-12)
            same(found, slopes, 1e-12)
    layer, given = layer_of(cell, kind, torch.float32), given.to(torch.float32)
    want, slopes = answer(layer, given, "reference")
    for engine in able(layer, given)[:-1]:
        outputs, found = answer(layer, given, engine)
        # Of two in float32; how near each is to the exact numbers, test_every_connectivity says.
        same(outputs, want, 1e-5)
        same(found, slopes, 1e-4)


@cases(rotated(2))
def test_derivatives(cell, kind):
    layer = layer_of(cell, kind, hidden=3)
    given = given_to(layer, 2, 2, (2, 1))
    names = [name for name, _ in layer.named_parameters()]

    def compute(*tensors):
        torch.manual_seed(3)
        own = dict(zip(names, tensors[len(given.leaves) :], strict=True))
        x, *state = tensors[: len(given.leaves)]
        named = given._replace(x=x, state=tuple(state) or None)
        outside = named.outside or None
        with gatewise.engine("reference"):
            y, last = torch.func.functional_call(
                layer, own, (x, named.state), {"lengths": named.lengths, "given": outside}
            )
        return (*(y if isinstance(y, tuple) else (y,)), *last)

    inputs = (*given.leaves, *layer.parameters())
    assert torch.autograd.gradcheck(compute, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(compute, inputs, fast_mode=True)


@cases(rotated(1))
@settings(max_examples=5, deadline=None)
@drawn(
    lengths=st.lists(st.integers(0, 5), min_size=0, max_size=4), input=st.integers(1, 4),
    thirds=st.integers(1, 7),
)  # fmt: skip
def test_each_length_is_the_sequence_alone(cell, kind, lengths, input, thirds):
    layer = layer_of(cell, kind, input=input, hidden=3 * thirds).eval()
    whole = given_to(layer, len(lengths), 5, lengths)
    x = whole.x.detach().clone()
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")  # What stands past the end is never looked at.
    ragged = whole._replace(x=x.requires_grad_())
    want, slopes = answer(layer, ragged, "reference")
    for engine in able(layer, ragged):
        found, gradients = answer(layer, ragged, engine)
        same(found, want, 1e-12)
        same(gradients, slopes, 1e-12)
        ys, last = outputs_of(layer, found)
        for k, length in enumerate(lengths):
            start = None if whole.state is None else tuple(s[:, k : k + 1] for s in whole.state)
            with torch.no_grad():
                alone = run(layer, whole.part(slice(k, k + 1), slice(length), start))
            own, end = outputs_of(layer, alone)
            for y, one in zip(ys, own, strict=True):
                torch.testing.assert_close(y[k : k + 1, :length], one)
                assert not y[k, length:].any()
            torch.testing.assert_close([s[:, k : k + 1] for s in last], end)


@cases(rotated(1))
@pytest.mark.parametrize(("batch", "time"), [(0, 3), (2, 0), (2, 1), (1, 2)])
def test_nothing_and_little(cell, kind, batch, time):
    layer = layer_of(cell, kind).eval()
    for lengths in (None, [0] * batch):
        given = given_to(layer, batch, time, lengths)
        want, slopes = answer(layer, given, "reference")
        for engine in able(layer, given):
            found, gradients = answer(layer, given, engine)
            same(found, want, 1e-12)
            same(gradients, slopes, 1e-12)
            ys, last = outputs_of(layer, found)
            assert all(y.shape[:2] == (batch, time) for y in ys)
            if given.state is not None and (lengths or not time):
                torch.testing.assert_close(last, [s.detach() for s in given.state])
                assert not any(y.any() for y in ys)


@cases(one_way(rotated(0)))
def test_steps_and_streams_are_the_sequence(cell, kind):
    layer = layer_of(cell, kind).eval()
    given = given_to(layer, 2, TIME, None)
    with torch.no_grad():
        y, *last = run(layer, given)
        state = given.state
        for t in range(TIME):
            outside = {name: value[:, t] for name, value in given.outside.items()}
            out, state = layer.step(given.x[:, t], state, given=outside or None)
            torch.testing.assert_close(out, y[:, t])
        torch.testing.assert_close(list(state), last)
        y, *last = run(layer, given._replace(outside={}))
        stream = layer.stream(2, given.state)
        found = [stream.step(x.contiguous()) for x in given.x.detach().unbind(1)]
        torch.testing.assert_close(torch.stack(found, 1), y)
        torch.testing.assert_close(list(stream.state), last)


@cases(one_way(rotated(0)))
def test_chunks_that_hand_on_their_state_are_one_pass(cell, kind):
    layer = layer_of(cell, kind).eval()
    given = given_to(layer, 3, 6, None)
    want, slopes = answer(layer, given, "reference")

    class Chunked(torch.nn.Module):
        """The same layer in chunks of 1, 3, no and 2 steps."""

        def forward(self, x, state, lengths, given):
            ys = []
            for first, end in ((0, 1), (1, 4), (4, 4), (4, 6)):
                outside = {name: value[:, first:end] for name, value in (given or {}).items()}
                y, state = layer(x[:, first:end], state, given=outside or None)
                ys.append(y)
            return torch.cat(ys, 1), state

    chunked = Chunked()
    chunked.layer = layer
    every = able(layer, given._replace(x=given.x[:, :0]))
    for engine in every:
        found, gradients = answer(chunked, given, engine)
        same(found, want, 1e-12)
        same(gradients, slopes, 1e-12)


@cases(one_way(rotated(1)))
@pytest.mark.parametrize("threads", [1, 2])
def test_the_backward_direction_is_the_forward_one_turned_around(cell, kind, threads):
    more = {"num_layers": 1, "dropout": 0.0}
    both, one = (layer_of(cell, kind, bidirectional=b, **more).eval() for b in (True, False))
    given, lengths = given_to(both, 3, TIME)._replace(outside={}), LENGTHS
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for engine in able(both, given):
            with gatewise.engine(engine), torch.no_grad():
                y, *last = run(both, given)
                for k, half in enumerate(y.chunk(2, -1)):
                    one.load_state_dict(of_direction(both, k))
                    start = given.state and tuple(s[k : k + 1] for s in given.state)
                    x = turned(given.x, lengths) if k else given.x
                    want, *end = run(one, given._replace(x=x, state=start))
                    torch.testing.assert_close(half, turned(want, lengths) if k else want)
                    torch.testing.assert_close([s[k : k + 1] for s in last], end)
    finally:
        torch.set_num_threads(before)


def of_direction(both, k):
    """The weights of one direction, for a layer that has one."""
    found = {}
    for name, value in both.state_dict().items():
        if name.startswith("initial_"):
            found[name] = value[k : k + 1]
        elif name.endswith("_reverse") == bool(k):
            found[name.removesuffix("_reverse")] = value
    return found


def turned(x, lengths):
    """Each sequence from its end."""
    found = x.clone()
    for k, length in enumerate(lengths):
        found[k, :length] = x[k, :length].flip(0)
    return found


@cases(rotated(0))
def test_weights_and_layers_are_saved_and_read(cell, kind):
    layer = layer_of(cell, kind)
    given = given_to(layer)
    want = answer(layer, given)
    assert layer.state_dict().keys() == dict(layer.named_parameters()).keys()
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    fresh = layer_of(cell, kind)
    fresh.reset_parameters()
    fresh.load_state_dict(torch.load(file, weights_only=True))
    for again in (fresh, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(answer(again, given), want, rtol=0, atol=0)
