"""Limited memories and gates against papers and ONNX Runtime."""

import json

import numpy as np
import pytest
import torch

from gatewise import InputError, cells
from gatewise.cells import every_cell
from gatewise.compiler import (
    Cell,
    FromState,
    Gate,
    State,
    Weight,
    cell,
    clip,
    diagonal,
    equations,
    exp,
    layer_norm,
    maximum,
    minimum,
    recurrent_dropout,
    sigmoid,
    step_source,
    tanh,
    vjp_source,
    zoneout,
)
from gatewise.compiler.expr import evaluate, var, walk
from gatewise.engines import recurrence

from .running import BATCH, HIDDEN, agree, check_derivatives, drawn

LIMIT = 0.4


@cell
def carried(a: Gate, c: State):
    return c + tanh(a)


def limited(v):
    return v.clamp(-LIMIT, LIMIT)


def free(v):
    return v


def gates(x, h, w, names):
    total = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
    return dict(zip(names, total.chunk(len(names), -1), strict=True))


def peephole(x, old, w, memory, gate):
    """Sak et al. 2014: the output gate sees the memory that is limited."""
    h, c = old
    a = gates(x, h, w, "ifgo")
    i = torch.sigmoid(gate(a["i"] + w["p_i"] * c))
    f = torch.sigmoid(gate(a["f"] + w["p_f"] * c))
    c = memory(f * c + i * torch.tanh(gate(a["g"])))
    return torch.sigmoid(gate(a["o"] + w["p_o"] * c)) * torch.tanh(c), c


def gru(x, old, w, m):
    """ONNX: the candidate's whole sum is limited, the state's half inside of it is not."""
    (h,) = old
    from_input = (x @ w["weight_ih"].T + w["bias_ih"]).chunk(3, -1)
    from_state = (h @ w["weight_hh"].T + w["bias_hh"]).chunk(3, -1)
    pairs = zip(from_input[:2], from_state[:2], strict=True)
    r, z = (torch.sigmoid(limited(a + b)) for a, b in pairs)
    n = torch.tanh(limited(from_input[2] + r * from_state[2]))
    return ((1 - z) * n + z * h,)


def zoneout_lstm(x, old, w, m):
    h, c = old
    a = gates(x, h, w, "ifgo")
    new = limited(torch.sigmoid(a["f"]) * c + torch.sigmoid(a["i"]) * torch.tanh(a["g"]))
    return torch.sigmoid(a["o"]) * torch.tanh(new), m["zone_c"] * c + (1 - m["zone_c"]) * new


def normal(v):
    return torch.nn.functional.layer_norm(v, v.shape[-1:])


def normal_elman(x, old, w, m):
    a = normal(x @ w["weight_ih"].T) * w["gain_x_a"]
    a = a + normal(old[0] @ w["weight_hh"].T) * w["gain_h_a"]
    return (torch.tanh(limited(a + w["shift_a"])),)


CASES = {
    "c": (clip(cells.peephole_lstm, LIMIT), lambda *a: peephole(*a[:3], limited, free)),
    "gates": (
        clip(cells.peephole_lstm, LIMIT, "gates"), lambda *a: peephole(*a[:3], free, limited)
    ),
    "both": (
        clip(clip(cells.peephole_lstm, LIMIT), LIMIT, "gates"),
        lambda *a: peephole(*a[:3], limited, limited),
    ),
    "gru": (clip(cells.gru, LIMIT, "gates"), gru),
    "zoneout": (zoneout(clip(cells.lstm, LIMIT), {"c": 0.5}), zoneout_lstm),
    "zoneout_before": (clip(zoneout(cells.lstm, {"c": 0.5}), LIMIT), zoneout_lstm),
    "layer_norm": (layer_norm(clip(cells.elman, LIMIT, "gates")), normal_elman),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("options", [{}, {"reverse": True, "lengths": [5, 0, 2]}], ids=["", "odd"])
def test_values_and_gradients(name, options):
    made, step = CASES[name]
    agree(drawn(made, bias=name != "layer_norm", **options), step)


@pytest.mark.parametrize("name", ["both", "gru"])
def test_derivatives(name):
    check_derivatives(drawn(CASES[name][0]))


def test_all_of_the_gradient_passes_on_the_limit_and_none_beyond():
    call = drawn(clip(carried, LIMIT))
    start = torch.tensor([-0.5, -LIMIT, 0.1, LIMIT], dtype=torch.float64, requires_grad=True)
    nothing = {name: torch.zeros_like(weight) for name, weight in call.weights.items()}
    y, _ = recurrence(*call._replace(state=(start.expand(BATCH, HIDDEN),), weights=nothing))
    torch.testing.assert_close(y[0, -1].detach(), start.detach().clamp(-LIMIT, LIMIT))
    y[0, -1].sum().backward()
    assert start.grad.tolist() == [0, 1, 1, 1]


def test_the_limit_is_a_constant_that_can_change():
    made = clip(cells.lstm, 3)
    assert made.hypers == {"clip_c": 3.0}
    assert made.with_(clip_c=2.0).outputs == made.outputs
    assert clip(cells.lstm, 1e9).states == cells.lstm.states


def test_a_wide_limit_changes_nothing():
    call = drawn(cells.peephole_lstm)
    for what in ("c", "gates"):
        wide = call._replace(cell=clip(cells.peephole_lstm, 1e6, what))
        torch.testing.assert_close(recurrence(*wide), recurrence(*call))


ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}  # i, o, f, c of our i, f, g, o; z, r, h of r, z, n


def in_onnx_runtime(kind, call, **attributes):
    """The layer as one node of ONNX: outputs and last states."""
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    w = {name: weight.detach().numpy() for name, weight in call.weights.items()}

    def moved(name):
        blocks = np.split(w[name], len(ORDER[kind]))
        return np.concatenate([blocks[k] for k in ORDER[kind]])[None]

    feeds = {
        "X": call.x.detach().numpy().swapaxes(0, 1),
        "W": moved("weight_ih"),
        "R": moved("weight_hh"),
        "B": np.concatenate([moved("bias_ih"), moved("bias_hh")], 1),
    }
    starts = [f"{s}0" for s in call.cell.states]
    feeds |= dict(zip(starts, (s.detach().numpy()[None] for s in call.state), strict=True))
    names = [*"XWRB", "", *starts]
    if "p_i" in w:
        feeds["P"] = np.concatenate([w["p_i"], w["p_o"], w["p_f"]])[None]
        names.append("P")
    feeds = {name: np.ascontiguousarray(value, np.float32) for name, value in feeds.items()}
    outputs = ["Y", *call.cell.states]
    node = onnx.helper.make_node(kind, names, outputs, hidden_size=HIDDEN, **attributes)
    number = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [node],
        "layer",
        [onnx.helper.make_tensor_value_info(n, number, v.shape) for n, v in feeds.items()],
        [onnx.helper.make_tensor_value_info(n, number, None) for n in outputs],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8
    )
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    y, *last = session.run(None, feeds)
    return [y[:, 0].swapaxes(0, 1), *(s[0] for s in last)]


@pytest.mark.parametrize("limit", [0.3, 1.0])
@pytest.mark.parametrize(
    ("plain", "kind", "attributes"),
    [
        (cells.lstm, "LSTM", {}),
        (cells.peephole_lstm, "LSTM", {}),
        (cells.gru, "GRU", {"linear_before_reset": 1}),
        (cells.gru_reset_before, "GRU", {}),
    ],
    ids=["lstm", "peephole_lstm", "gru", "gru_reset_before"],
)
def test_clipped_gates_are_those_of_onnx_runtime(plain, kind, attributes, limit):
    call = drawn(clip(plain, limit, "gates"))
    y, state = recurrence(*call)
    found = in_onnx_runtime(kind, call, clip=limit, **attributes)
    for got, want in zip((y, *state), found, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), want, atol=1e-6)


def clipped_sums(made):
    """What is limited, as the arguments of the outer of the two choices."""
    return {n.args[3].args[3] for n in walk(made.outputs) if n.op == "where"
            and n.args[3].op == "where" and n.args[3].args[0] is var("clip_gates")}  # fmt: skip


def test_what_counts_as_a_gates_sum():
    def sums(plain):
        return clipped_sums(clip(plain, 1, "gates"))

    a, b, f, g, m = map(var, ("a", "b", "f", "g", "m"))
    assert sums(cells.lstm) == {var(name) for name in "ifgo"}
    assert sums(cells.niaf) >= {g}
    assert {f, var("i")} <= sums(cells.slstm_exp)
    assert f + m not in sums(cells.slstm_exp)
    assert sums(diagonal(cells.elman)) == {a + var("u_a") * var("h")}
    first, second = sorted(sums(cells.mut1), key=lambda n: n.op)[:2]
    assert {first.op, second.op} == {"add", "var"}

    @cell
    def piecewise(a: Gate, b: FromState, h: State, w: Weight = 1.0):
        a = a + w * h
        return maximum(0, minimum(1, 0.2 * a + 0.5)) + tanh(exp(b))

    assert sums(piecewise) == {a + var("w") * var("h"), b}


@pytest.mark.parametrize("name", every_cell())
def test_every_cell_can_be_clipped(name):
    plain = every_cell()[name]
    for what in ("c", "gates"):
        if what == "c" and "c" not in plain.states:
            continue
        made = clip(plain, 2, what)
        again = Cell.from_dict(json.loads(json.dumps(made.to_dict())))
        assert again == made == Cell.from_key(made.key) == clip(plain, 2.0, what)
        for emit in (step_source, vjp_source, equations):
            assert emit(again) == emit(made)
        assert made.weights == plain.weights
        assert made.bias == plain.bias
        if not any(stage.products for stage in plain.stages):
            values = {port.name: 0.1 * (k + 1) for k, port in enumerate(plain.ports)}
            want = evaluate(plain.outputs, values | plain.hypers)
            wide = values | made.hypers | {f"clip_{what}": 1e6}
            assert evaluate(made.outputs, wide) == pytest.approx(want)


@pytest.mark.parametrize("what", ["c", "gates"])
@pytest.mark.parametrize("name", ["lstm", "peephole_lstm", "phased_lstm"])
def test_the_order_of_transforms_makes_no_difference(name, what):
    plain = every_cell()[name]
    for other in (
        lambda c: zoneout(c, {"c": 0.2, "h": 0.1}),
        lambda c: recurrent_dropout(c, 0.3),
        lambda c: recurrent_dropout(c, 0.3, "gal"),
        diagonal,
    ):
        assert other(clip(plain, 2, what)).outputs == clip(other(plain), 2, what).outputs


def test_latex():
    text = equations(clip(cells.lstm, 3))

    assert r"\min(\max(f_{t} \odot c_{t-1} + i_{t} \odot g_{t}, -\mathrm{clip}_{c}), " in text
    assert text.splitlines()[-2] == r"h_{t} &= o_{t} \odot \tanh(c_{t})"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: clip(cells.lstm, 0), "limit=0: clip takes a finite number above 0"),
        (lambda: clip(cells.lstm, True), "limit=True"),
        (lambda: clip(cells.lstm, float("inf")), "limit=inf"),
        (lambda: clip(cells.lstm, float("nan")), "limit=nan"),
        (lambda: clip(cells.lstm, "3"), "limit='3'"),
        (lambda: clip(cells.lstm, 3, "gate"), "what='gate': clip knows these; did you mean"),
        (lambda: clip(cells.gru, 3), "gru computes no memory c that clip could limit"),
        (lambda: clip(clip(cells.lstm, 3), 2), "clip_c already: apply clip once"),
        (
            lambda: clip(layer_norm(cells.lstm), 3, "gates"),
            "apply clip first, then layer_norm",
        ),
        (lambda: clip(cell(blind), 3, "gates"), "blind has no gates"),
    ],
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)


def blind(h: State):
    return sigmoid(h)
