"""Which engine runs a call, who says so, and what forcing one does."""

import pytest
import torch

import gatewise
from gatewise import InputError, engine, explain, nn
from gatewise.compiler import Gate, State, cell, sigmoid, tanh
from gatewise.engines import ENGINES

X = torch.zeros(2, 5, 3)


def test_an_explanation_names_engines_reasons_and_the_one_that_runs():
    found = explain(nn.Recurrent("peephole_lstm", 3, 4), X, lengths=[5, 2])
    names = [engine.name for engine in ENGINES]
    assert list(found.reasons) == names == ["cpu", "native", "reference"]
    assert found.chosen == "cpu"
    assert found.reasons["reference"] is None
    lines = str(found).splitlines()
    assert lines[0] == "cpu        yes, runs"
    assert lines[1].startswith("native     no: torch has no kernel for peephole_lstm")
    assert lines[2] == "reference  yes"


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (nn.LSTM(3, 4, batch_first=True), None),
        (nn.GRU(3, 4, batch_first=True), None),
        (nn.Recurrent("elman_relu", 3, 4), None),
        (nn.Recurrent("lstm", 3, 4, proj_size=2), None),
        (nn.Recurrent("coupled_lstm", 3, 4), "no kernel"),
        (nn.Recurrent("lstm", 3, 4, dtype=torch.bfloat16), None),
    ],
    ids=str,
)
def test_where_the_native_engine_runs(layer, reason):
    x = X.to(layer.weight_ih_l0.dtype)
    found = explain(layer, x)
    assert (found.reasons["native"] is None) == (reason is None)
    assert (reason or "") in (found.reasons["native"] or "")


@pytest.mark.parametrize(
    ("x", "chosen", "reason"),
    [
        (X, "cpu", ""),
        (X.double(), "cpu", ""),
        (X.bfloat16(), "native", "float32 and float64, not torch.bfloat16"),
        (X.to("meta"), "native", "x is on meta"),
    ],
    ids=str,
)
def test_where_the_cpu_engine_runs(x, chosen, reason):
    found = explain(nn.Recurrent("lstm", 3, 4, dtype=x.dtype, device=x.device), x)
    assert found.chosen == chosen
    assert reason in (found.reasons["cpu"] or "")


def test_an_explanation_is_of_the_type_that_autocast_runs_in():
    layer = nn.LSTM(3, 4, batch_first=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = explain(layer, X)
        assert "not torch.bfloat16" in (found.reasons["cpu"] or "")
        assert found.chosen == "native"
        assert layer(X)[0].dtype == torch.bfloat16
        assert explain(layer.double(), X.double()).chosen == "cpu"
    assert explain(layer, X.double()).chosen == "cpu"


def test_the_native_engine_knows_a_cell_by_its_equations():
    @cell(bias={"f": 2.0})
    def mine(i: Gate, f: Gate, g: Gate, o: Gate, h: State, c: State):
        memory = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(memory), memory

    layer = nn.Recurrent(mine, 3, 4)
    with engine("native"):
        y, _ = layer(X + 1)
    with engine("reference"):
        torch.testing.assert_close(layer(X + 1)[0], y)


def test_a_forced_engine_runs_or_raises_its_reason():
    plain, own = nn.Recurrent("lstm", 3, 4), nn.Recurrent("peephole_lstm", 3, 4)
    with engine("native"):
        plain(X)
        assert explain(own, X).chosen is None
        with pytest.raises(InputError, match="engine='native' cannot run this peephole_lstm"):
            own(X)
        with engine("reference"):
            own(X)
            assert explain(plain, X).chosen == "reference"
    own(X)


def test_an_unknown_engine_offers_the_nearest():
    with pytest.raises(InputError, match="did you mean 'native'"), engine("nativ"):
        pass


def test_an_engine_that_breaks_is_an_error(monkeypatch):
    def broken(self, call):
        raise OSError("out of luck")

    monkeypatch.setattr(type(ENGINES[0]), "run", broken)
    with pytest.raises(OSError, match="out of luck"):
        nn.Recurrent("lstm", 3, 4)(X)


def test_the_public_names():
    assert gatewise.engine is engine
    assert gatewise.nn.Recurrent is nn.Recurrent
    assert gatewise.cells.lstm.states == ("h", "c")
