"""torchrecurrent's cells as oracles for ours: outputs, and gradients of inputs and weights.

Left out where it computes something else by the same name: its `LEMCell` sees the memory of the
step before where paper and docstring say this step's; its `tau`-GRU, `Res`LSTM and the like are
cells that we do not have.
"""

import pytest
import torch

from gatewise import cells
from gatewise.interop.weights import built, reordered

from .packages import package

pytestmark = pytest.mark.external

BATCH, TIME, INPUT, HIDDEN = 3, 7, 4, 5

# Our cell: their name, the order of their rows of weight_ih and of weight_hh, what is to be said.
CASES = {
    "gru_reset_before": ("MUT2Cell", "zrn", "zrn", {}),
    "indrnn": ("IndRNNCell", "a", "", {"nonlinearity": "relu"}),
    "janet": ("JANETCell", "fg", "fg", {"beta": 1.0}),
    "minimal_gated_unit": ("MGUCell", "fn", "fn", {}),
    "multiplicative_lstm": ("MultiplicativeLSTMCell", "mifgo", "mifgo", {}),
    "mut1": ("MUT1Cell", "zrn", "rn", {}),
    "mut2": ("MUT2Cell", "zrn", "zrn", {}),
    "mut3": ("MUT3Cell", "zrn", "zrn", {}),
    "nfg": ("OriginalLSTMCell", "igo", "igo", {}),
    "peephole_lstm": ("PeepholeLSTMCell", "ifgo", "ifgo", {}),
}


@pytest.fixture(scope="module")
def theirs():
    with package("torchrecurrent") as module:
        yield module


def weights_of(one, ours, ih, hh):
    """Their weights by our names, with the graph to theirs."""
    held = dict(one.named_parameters())

    def stacked(*names):
        return torch.cat([held[name] for name in names if name in held])

    found = {name: reordered(held[name], ih, ours.input_rows) for name in ("weight_ih", "bias_ih")}
    if hh:
        state = {
            "weight_hh": stacked("weight_hh", "weight_mh"),
            "bias_hh": stacked("bias_hh", "bias_mh"),
        }
        found |= {name: reordered(rows, hh, ours.state_rows) for name, rows in state.items()}
    else:
        found |= {"bias_ih": found["bias_ih"] + held["bias_hh"], "u": held["vector_u"]}
    if "weight_ph" in held:
        found |= {f"p_{g}": w for g, w in zip("ifo", held["weight_ph"].chunk(3), strict=True)}
    # Of the catalogue only the variant with peepholes has no forget gate; theirs has none.
    missing = ours.weights.keys() - found.keys()
    return found | {name: torch.zeros(HIDDEN, dtype=torch.float64) for name in missing}


def run(one, x):
    """Their cell over time: all outputs."""
    state, outputs = None, []
    for step in x.unbind(1):
        state = one(step, state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    return torch.stack(outputs, 1)


@pytest.mark.parametrize("name", CASES)
def test_cells(theirs, name):
    kind, ih, hh, options = CASES[name]
    torch.manual_seed(0)
    one = getattr(theirs, kind)(INPUT, HIDDEN, **options).double()
    # The beta of their JANET is learned; ours is a constant.
    learned = [p for name, p in one.named_parameters() if name != "beta"]
    with torch.no_grad():
        for parameter in learned:
            parameter.normal_()
    ours = getattr(cells, name)
    weights = weights_of(one, ours, ih, hh)
    if name == "gru_reset_before":
        # Their z writes the new, ours keeps the old: 1 - z is the sigmoid of -z.
        z = slice(HIDDEN, 2 * HIDDEN)
        for rows in weights.values():
            rows[z] = -rows[z]
    layer = built(ours, [[weights]])
    x = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64, requires_grad=True)
    want = run(one, x)
    named = {f"{k}_l0": w for k, w in weights.items()}
    y, _ = torch.func.functional_call(layer, named, (x,))
    torch.testing.assert_close(y, want)
    wanted = torch.autograd.grad(want.square().sum(), [x, *learned])
    got = torch.autograd.grad(y.square().sum(), [x, *learned])
    torch.testing.assert_close(got, wanted)
