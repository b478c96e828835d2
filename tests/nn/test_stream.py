"""Streams: equal to the whole sequence, whatever the cell, the machine and the kind of array."""

import copy
import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("llvmlite.binding")

import gatewise
from gatewise import InputError, nn
from gatewise.cells import every_cell, lstm, phased_lstm
from gatewise.engines.cpu.host import foreign
from gatewise.engines.cpu.jit import assembly
from gatewise.engines.cpu.plan import plan
from gatewise.engines.cpu.stream_int8 import Int8

STEPS = 9
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
KINDS = {"numpy": lambda x: x.numpy(), "torch": lambda x: x}
ONE_PART = [name for name, cell in every_cell().items() if len(plan(cell).parts) == 1]


@pytest.fixture(params=["", "avx2", "plain"], ids=lambda name: name or "best")
def machine(request, monkeypatch):
    monkeypatch.setenv("GATEWISE_CPU", request.param)
    try:
        gatewise.engines.cpu.host.host()
    except InputError as missing:
        pytest.skip(str(missing))


def noise(*shape, dtype=torch.float32, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def layer_of(name="lstm", features=5, hidden=19, dtype=torch.float32, **arguments):
    torch.manual_seed(1)
    if name == "phased_lstm":
        # A clock that opens in a twentieth of its period makes forty times as much of a rounding.
        name = phased_lstm.with_(r_on=0.5)
        arguments = {"init": {"log_period": 1.0, "shift": 0.5}, **arguments}
    return nn.Recurrent(name, features, hidden, dtype=dtype, **arguments).eval()


def whole(layer, x, state=None):
    with gatewise.engine("reference"), torch.no_grad():
        return layer(x, state)


def streamed(stream, x, kind="torch"):
    """The outputs of steps over [batch, time, features]."""
    given = [KINDS[kind](step.contiguous()) for step in x.unbind(1)]
    return torch.stack([torch.as_tensor(stream.step(step)) for step in given], 1)


def check_equal(found, wanted, dtype=torch.float32, exact=None):
    # An elman with relu has large outputs.
    scale = max(1.0, wanted.abs().max().item())
    allowed = TOLERANCE[dtype] * scale
    if exact is not None:
        # A phased_lstm makes much of a rounding: twice what plain torch makes is allowed.
        allowed = max(allowed, 2 * (wanted - exact).abs().max().item())
        wanted = exact
    torch.testing.assert_close(found.to(wanted), wanted, rtol=0, atol=allowed)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("batch", [1, 2, 11])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", every_cell())
def test_steps_are_the_whole_sequence(name, dtype, batch):
    layer, x = layer_of(name, dtype=dtype, num_layers=2), noise(batch, STEPS, 5, dtype=dtype)
    y, last = whole(layer, x)
    exact, end = whole(copy.deepcopy(layer).double(), x.double())
    for kind in KINDS:
        stream = layer.stream(batch)
        check_equal(streamed(stream, x, kind), y, dtype, exact)
        assert stream.state._fields == last._fields
        for found, wanted, right in zip(stream.state, last, end, strict=True):
            check_equal(found, wanted, dtype, right)


@pytest.mark.parametrize("hidden", [1, 16, 64, 67])
def test_any_number_of_units(hidden):
    layer, x = layer_of(features=1, hidden=hidden), noise(2, STEPS, 1)
    check_equal(streamed(layer.stream(2), x), whole(layer, x)[0])


@pytest.mark.parametrize("arguments", [{"bias": False}, {"proj_size": 7}, {"learn_state": True},
                                       {"zoneout": 0.2, "recurrent_dropout": 0.3, "dropout": 0.1,
                                        "weight_dropout": 0.4}],
                         ids=lambda given: next(iter(given)))  # fmt: skip
def test_what_a_layer_may_be(arguments):
    layer, x = layer_of(num_layers=3, **arguments), noise(2, STEPS, 5)
    if layer.learn_state:
        torch.nn.init.normal_(layer.initial_c)
    wanted, _ = whole(layer, x)
    # A stream evaluates, whatever the layer is at.
    check_equal(streamed(layer.train().stream(2), x), wanted)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_drop_ins(kind, batch_first):
    torch.manual_seed(0)
    layer = getattr(nn, kind)(5, 19, 2, batch_first=batch_first)
    x = noise(3, STEPS, 5)
    with torch.no_grad():
        y, start = layer(x if batch_first else x.transpose(0, 1))
    stream = layer.stream(3)
    check_equal(streamed(stream, x), y if batch_first else y.transpose(0, 1))
    torch.testing.assert_close(stream.state, start)
    again = layer.stream(3, state=start)
    torch.testing.assert_close(streamed(again, x), streamed(stream, x))


def test_a_projected_drop_in():
    layer, x = nn.LSTM(5, 19, proj_size=4, batch_first=True), noise(2, STEPS, 5)
    with torch.no_grad():
        wanted, _ = layer(x)
    check_equal(streamed(layer.stream(2), x), wanted)


def test_state_is_a_copy_and_goes_on_elsewhere():
    layer, x = layer_of(num_layers=2), noise(1, STEPS, 5)
    y, _ = whole(layer, x)
    first = layer.stream()
    # An odd number of steps: old and new state have changed places.
    streamed(first, x[:, :3])
    kept = first.state
    second = layer.stream(state=kept)
    check_equal(streamed(first, x[:, 3:]), y[:, 3:])
    check_equal(streamed(second, x[:, 3:]), y[:, 3:])
    first.reset(kept)
    check_equal(streamed(first, x[:, 3:]), y[:, 3:])
    first.reset({"h": kept.h, "c": kept.c})
    check_equal(streamed(first, x[:, 3:]), y[:, 3:])
    first.reset()
    check_equal(streamed(first, x), y)


def test_weights_are_those_of_the_beginning_until_refreshed():
    layer, x = layer_of("peephole_lstm"), noise(1, STEPS, 5)
    old, _ = whole(layer, x)
    stream = layer.stream()
    with torch.no_grad():
        for weight in layer.parameters():
            weight.mul_(0.5)
    check_equal(streamed(stream, x), old)
    stream.refresh()
    stream.reset()
    check_equal(streamed(stream, x), whole(layer, x)[0])
    layer.double()
    with pytest.raises(InputError, match="make a new one"):
        stream.refresh()


@pytest.mark.parametrize("kind", KINDS)
def test_out_is_written_and_given_back(kind):
    layer, x = layer_of(), noise(1, STEPS, 5)
    y, _ = whole(layer, x)
    stream = layer.stream()
    out = KINDS[kind](torch.full((19,), 7.0))
    for t in range(STEPS):
        assert stream.step(KINDS[kind](x[0, t]), out=out) is out
        check_equal(torch.as_tensor(out), y[0, t])
    # The output may lie where the input does, and anywhere else.
    square = layer_of(features=19)
    x = noise(1, STEPS, 19)
    y, _ = whole(square, x)
    stream, place = square.stream(), KINDS[kind](torch.zeros(2, 19))
    for t in range(STEPS):
        place[0] = KINDS[kind](x[0, t])
        stream.step(place[0], out=place[0])
        check_equal(torch.as_tensor(place[0]), y[0, t])
    wide = KINDS[kind](torch.zeros(19, 2))
    stream.reset()
    stream.step(KINDS[kind](x[0, 0]), out=wide[:, 1])
    check_equal(torch.as_tensor(wide)[:, 1], y[0, 0])


def test_whatever_holds_the_numbers():
    layer, x = layer_of(), noise(1, 3, 5)
    y, _ = whole(layer, x)
    stream = layer.stream()
    apart = torch.zeros(5, 2)
    apart[:, 1] = x[0, 0]
    assert isinstance(stream.step(apart[:, 1]), torch.Tensor)
    found = stream.step(torch.nn.Parameter(x[0, 1]))
    assert not found.requires_grad
    check_equal(found, y[0, 1])
    found = stream.step(x[:, 2].numpy()[:, ::-1][:, ::-1])
    assert found.shape == (1, 19)
    check_equal(torch.as_tensor(found), y[:, 2])
    stream.reset()
    with torch.inference_mode():
        mine = layer.stream()
        check_equal(mine.step(x[:, 0]), y[:, 0])
    mine.reset()
    check_equal(mine.step(x[:, 0], out=torch.zeros(1, 19)), y[:, 0])


def test_streams_are_independent():
    layer, x = layer_of(), noise(8, 200, 5)
    y, _ = whole(layer, x)
    found = [None] * 8

    def work(k):
        found[k] = streamed(layer.stream(), x[k : k + 1], list(KINDS)[k % 2])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_equal(torch.cat(found), y)
    one, two = layer.stream(), layer.stream()
    for t in range(5):
        check_equal(one.step(x[:1, t]), y[:1, t])
        check_equal(two.step(x[1:2, t]), y[1:2, t])


WRONG = {
    "5 features": (lambda s: s.step(np.zeros(4, np.float32)), r"\(4,\): give one step"),
    "a time": (lambda s: s.step(torch.zeros(1, 3, 5)), "give one step"),
    "a type": (lambda s: s.step(np.zeros(5)), "float64: the layer has float32"),
    "a tensor's type": (lambda s: s.step(torch.zeros(5).double()), "has torch.float32"),
    "a list": (lambda s: s.step([0.0] * 5), "type list"),
    "a device": (lambda s: s.step(torch.zeros(5, device="meta")), r"write x.cpu\(\)"),
    "out's shape": (lambda s: s.step(torch.zeros(5), out=torch.zeros(18)), "give one of shape"),
    "out's type": (lambda s: s.step(np.zeros(5, np.float32), out=np.zeros(19)), "out of type"),
    "out's graph": (
        lambda s: s.step(torch.zeros(5), out=torch.zeros(19, requires_grad=True)), "no gradient"
    ),
    "a state": (lambda s: s.reset(torch.zeros(1, 1, 19)), "give h, c of shapes"),
    "a copy": (copy.deepcopy, "cannot be copied"),
    "a pickle": (pickle.dumps, "cannot be copied"),
    "samples": (lambda s: s.measure([1.0]), "samples=list"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_a_stream_refuses(what):
    stream = layer_of().stream()
    run, words = WRONG[what]
    with pytest.raises(InputError, match=words):
        run(stream)
    # Nothing has happened to the state.
    assert not stream.state.h.any()


def test_what_cannot_stream():
    with pytest.raises(InputError, match="cannot see the future"):
        layer_of(bidirectional=True).stream()
    with pytest.raises(InputError, match="cannot see the future"):
        nn.GRU(5, 4, bidirectional=True).stream()
    with pytest.raises(InputError, match=r"not torch\.bfloat16"):
        layer_of(dtype=torch.bfloat16).stream()
    with pytest.raises(InputError, match="on meta"):
        layer_of(device="meta").stream()
    with pytest.raises(InputError, match="batch=0"):
        layer_of().stream(batch=0)
    with pytest.raises(InputError, match=r"float64.*'float32', 'bfloat16', 'int8'"):
        layer_of().stream(weights="float64")
    with pytest.raises(InputError, match="one part"):
        layer_of("gru_reset_before").stream(weights="int8")
    with pytest.raises(InputError, match="float64 layer"):
        layer_of(dtype=torch.float64).stream(weights="int8")


def rounded(rows):
    """What the 8 bits of each row stand for."""
    scale = rows.abs().amax(-1, keepdim=True) / 127
    return torch.round(rows / scale) * scale


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("features", "hidden", "batch"), [(5, 19, 1), (33, 64, 3), (3, 130, 9)])
@pytest.mark.parametrize("name", ONE_PART)
def test_int8_is_exact_for_what_8_bits_can_hold(name, features, hidden, batch):
    layer = layer_of(name, features, hidden)
    with torch.no_grad():
        for weight in layer.parameters():
            if weight.dim() == 2:
                weight.copy_(rounded(weight))
    _, state = whole(layer, noise(batch, 4, features))
    operands = plan(layer.cell).operands
    state = {name: rounded(s) if name in operands else s for name, s in state._asdict().items()}
    x = rounded(noise(batch, 1, features, seed=1))
    y, last = whole(layer, x, state)
    stream = layer.stream(batch, state, "int8")
    check_near(stream.step(x[:, 0]), y[:, 0])
    for found, wanted in zip(stream.state, last, strict=True):
        check_near(found, wanted)


@pytest.mark.parametrize("name", ONE_PART)
def test_int8_says_what_it_costs(name):
    layer, x = layer_of(name, num_layers=2), noise(3, 40, 5)
    stream = layer.stream(3, weights="int8")
    apart = streamed(stream, x) - whole(layer, x)[0]
    samples = x.transpose(0, 1).contiguous()
    wanted = pytest.approx(apart.abs().max().item(), rel=1e-3)
    assert stream.measure(samples) == wanted
    assert stream.measure(samples.numpy()) == wanted
    assert stream.error > 0
    if name in ("lstm", "gru"):
        assert stream.error < 0.02


def check_near(found, wanted):
    scale = max(1.0, wanted.abs().max().item())
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5 * scale)


def stream_has_bytes():
    from gatewise.engines.cpu.host import host
    from gatewise.engines.cpu.stream_int8 import multiplies_bytes

    return multiplies_bytes(host())


@pytest.mark.usefixtures("machine")
def test_int8_is_exact_where_bytes_suffice():
    """Weights and input that are whole bytes: the sums have no error but that of floats."""
    layer = layer_of("elman_relu", 70, 19)
    draw = np.random.default_rng(0)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
        bytes_ = draw.integers(-127, 128, (19, 70))
        bytes_[:, 0] = 127
        layer.weight_ih_l0.copy_(torch.from_numpy(bytes_ * 2.0**-7))
    x = draw.integers(-127, 128, (30, 70)).astype(np.float32)
    x[:, 1] = -127
    stream = layer.stream(weights="int8")
    for row in x:
        wanted = np.maximum(bytes_ * 2.0**-7 @ row.astype(float), 0)
        np.testing.assert_allclose(stream.step(row), wanted, rtol=1e-6, atol=1e-3)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_int8_hides_nothing_that_is_not_finite(value):
    stream = layer_of(hidden=40).stream(2, weights="int8")
    x = np.zeros((2, 5), np.float32)
    x[0, 3] = value
    y = stream.step(x)
    if stream_has_bytes() or np.isnan(value):
        assert np.isnan(y[0]).all()
    assert np.isfinite(y[1]).all()
    layer = layer_of()
    with torch.no_grad():
        layer.weight_hh_l0[0, 2] = value
    stream = layer.stream(weights="int8")
    assert np.isnan([stream.step(np.ones(5, np.float32)) for _ in range(2)][1]).any()


def test_int8_goes_with_the_machine():
    def code(host):
        return assembly(Int8(plan(lstm), host).text(), host)

    for name, feature in (("avx512", "+avx512vnni"), ("avx2", "+avxvnni")):
        assert "vpdpbusd" in code(replace(foreign(name), features=feature))
    for name in ("avx512", "avx2", "plain", "neon"):
        assert "vpdpbusd" not in code(foreign(name))


def test_no_weights_of_8_bits_no_error():
    assert layer_of().stream().error == 0.0


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("name", every_cell())
def test_bfloat16_is_the_layer_with_rounded_matrices(name):
    layer, x = layer_of(name, num_layers=2), noise(3, STEPS, 5)
    rounded = copy.deepcopy(layer)
    for key, weight in rounded.named_parameters():
        if key.startswith("weight_"):
            weight.data = weight.data.bfloat16().float()
    y, _ = whole(rounded, x)
    stream = layer.stream(3, weights="bfloat16")
    assert stream.weights == "bfloat16"
    check_equal(streamed(stream, x), y)
    assert stream.error > 0


def test_bfloat16_keeps_what_is_no_number():
    layer = layer_of()
    layer.weight_hh_l0.data[:] = torch.nan
    stream = layer.stream(weights="bfloat16")
    stream.step(np.ones(5, np.float32))
    assert np.isnan(stream.step(np.ones(5, np.float32))).all()


def test_bfloat16_of_a_double_layer_is_refused():
    with pytest.raises(InputError, match=r"layer\.float\(\)"):
        layer_of(dtype=torch.float64).stream(weights="bfloat16")


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("kind", ["block_sparse:0.25:16x1:0", "heads:4", "masked:0.05:1"])
def test_zeros_are_left_out(kind):
    layer, x = layer_of(hidden=64, connectivity=kind), noise(3, STEPS, 5)
    stream = layer.stream(3)
    y, _ = whole(layer, x)
    check_equal(streamed(stream, x), y)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.mul_(0.5)
    stream.refresh()
    stream.reset()
    y, _ = whole(layer, x)
    check_equal(streamed(stream, x), y)


def test_new_weights_among_the_zeros_are_refused():
    layer = layer_of(features=16, hidden=64)
    layer.weight_ih_l0.data[:, 1:] = 0
    layer.weight_hh_l0.data[:, 3:] = 0
    stream = layer.stream()
    layer.weight_hh_l0.data[:, 5] = 1
    with pytest.raises(InputError, match="zero when this stream was made"):
        stream.refresh()
