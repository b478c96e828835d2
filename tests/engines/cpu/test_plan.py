"""What a plan keeps and sums up, and that its text is the same in every process."""

import os
import subprocess
import sys
import time

import pytest

from gatewise.cells import every_cell
from gatewise.compiler import zoneout
from gatewise.compiler.expr import evaluate
from gatewise.engines.cpu import jit, kernels, moving, packing, products
from gatewise.engines.cpu.backward import Backward
from gatewise.engines.cpu.forward import Forward
from gatewise.engines.cpu.host import host
from gatewise.engines.cpu.ir import Lanes
from gatewise.engines.cpu.plan import RAW, plan

from ...contracts.test_every_engine import CELLS as RICH

CELLS = every_cell()


def kept(made):
    return [len(part.kept) for part in made.parts]


@pytest.mark.parametrize(
    ("name", "number"),
    [("lstm", 4), ("gru", 4), ("elman", 0), ("elman_relu", 0), ("coupled_lstm", 3),
     ("peephole_lstm", 4), ("gru_reset_before", 3)],
)  # fmt: skip
def test_numbers_that_are_kept_of_a_step(name, number):
    assert sum(kept(plan(CELLS[name]))) == number


def test_noise_costs_no_more_than_what_it_hides():
    assert sum(kept(plan(zoneout(CELLS["lstm"], {"h": 0.1, "c": 0.5})))) <= 5


def test_one_part_for_each_stage_and_for_a_projection():
    assert [len(plan(CELLS[n]).parts) for n in ("lstm", "gru", "gru_reset_before")] == [1, 1, 2]
    projected = plan(CELLS["lstm"], True)
    assert [len(part.sums) for part in projected.parts] == [4, 1]
    assert projected.parts[1].sums[0].operand == RAW
    assert projected.crossing == (RAW,)


def test_halves_are_one_sum_where_only_their_sum_is_wanted():
    assert len(plan(CELLS["lstm"]).planes) == 4
    # The candidate's halves meet behind the reset gate.
    assert len(plan(CELLS["gru"]).planes) == 4
    assert len(plan(CELLS["gru_reset_before"]).planes) in (3, 4)


def test_states_whose_past_is_wanted():
    assert plan(CELLS["lstm"]).timed == ("c",)
    assert plan(CELLS["gru"]).timed == ()


@pytest.mark.parametrize("name", RICH)
@pytest.mark.parametrize("projected", [False, True], ids=["plain", "projected"])
def test_a_plan_is_whole(name, projected):
    cell = RICH[name]
    if projected and (len(cell.stages) > 1 or name not in ("lstm", "peephole_lstm")):
        return
    made = plan(cell, projected)
    assert made is plan(cell, projected)
    names = [row.name for part in made.parts for row in part.sums]
    assert sorted(names) == sorted(row.name for row in made.planes)
    assert len(set(names)) == len(names)
    # What multiplies the same operand lies side by side, so that one product does it.
    for operand in made.operands:
        assert len(made.runs(operand)) == 1
    assert {n for n, _ in made.parts[-1].computes} <= {*made.states, *made.crossing, *names}
    every = [n for part in made.parts for n, _ in part.kept]
    assert len(set(every)) == len(every)
    # Each sum has a gradient, once.
    gradients = [n for part in made.parts for n, _ in part.gradients if n in names]
    assert set(gradients) == set(names)


def test_the_kept_numbers_give_the_gradients_of_the_lstm():
    (part,) = plan(CELLS["lstm"]).parts
    point = {"i": 0.3, "f": -0.2, "g": 0.7, "o": 1.1, "h": 0.4, "c": -0.6}
    held = dict(zip((n for n, _ in part.kept), evaluate([e for _, e in part.kept], point),
                    strict=True))  # fmt: skip
    (new_h, new_c) = evaluate([e for _, e in part.computes], point)
    known = {"c": point["c"], "h": point["h"], "new@h": new_h, "new@c": new_c} | held
    along = {"d@h": 0.9, "d@c": -0.4}
    found = dict(zip((n for n, _ in part.gradients), evaluate(
        [e for _, e in part.gradients], known | along), strict=True))  # fmt: skip
    for name in ("i", "f", "g", "o", "c"):
        ends = [
            sum(along[f"d@{n}"] * value for (n, _), value in zip(part.computes, evaluate(
                [e for _, e in part.computes], point | {name: point[name] + d}), strict=True))
            for d in (1e-6, -1e-6)
        ]  # fmt: skip
        assert found[name] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-7)


def texts(cell, projected=False):
    made, lanes = plan(cell, projected), Lanes("float", 16)
    return [
        Forward(made, lanes, 32, True).text(),
        Forward(made, lanes, 32, False).text(),
        Backward(made, lanes).text(),
    ]


@pytest.mark.parametrize("name", ["lstm", "gru_reset_before", "homemade"])
def test_no_function_is_written_twice_and_none_for_nothing(name):
    shared = [products.text(Lanes("float", 16), 32), packing.text(Lanes("float", 16), 32)]
    for text in (*texts(RICH[name]), *shared, moving.text(Lanes("float", 16))):
        lines = text.splitlines()
        defined = [line.split("@")[1].split("(")[0] for line in lines if line[:6] == "define"]
        assert len(set(defined)) == len(defined)
        inner = [line.split("@")[1].split("(")[0] for line in lines if "define internal" in line]
        for function in inner:
            assert text.count(f"@{function}(") > 1, f"{function} is never called"


SAME = """
import hashlib
from tests.engines.cpu.test_plan import RICH, texts, Lanes, moving, packing, products
every = [text for cell in RICH.values() for text in texts(cell)]
every += texts(RICH["peephole_lstm"], True)
every += [products.text(Lanes("double", 4), 16), packing.text(Lanes("double", 4), 16)]
every += [moving.text(Lanes("double", 4))]
print(hashlib.sha256("".join(every).encode()).hexdigest())
"""


def test_text_is_the_same_in_every_process():
    found = {
        subprocess.run(
            [sys.executable, "-c", SAME], timeout=120, capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_a_first_call_of_an_lstm_waits_less_than_a_second(monkeypatch):
    monkeypatch.setenv("GATEWISE_CACHE", "")
    machine, made = host(), plan(CELLS["lstm"])

    def compiled():
        monkeypatch.setattr(jit, "_libraries", {})
        for function in (kernels.forward, kernels.backward, kernels.product, kernels.move):
            function.cache_clear()
        kernels.pack.cache_clear()
        start = time.process_time()
        kernels.forward(made, "float", machine, True)
        kernels.backward(made, "float", machine)
        kernels.product("outer", "float", machine)
        kernels.move("copy_rows", "float", machine)
        kernels.pack("pack_units", "float", machine)
        return time.process_time() - start

    taken = min(compiled() for _ in range(2))
    for function in (kernels.forward, kernels.backward, kernels.product, kernels.move):
        function.cache_clear()
    kernels.pack.cache_clear()
    assert taken < 1
