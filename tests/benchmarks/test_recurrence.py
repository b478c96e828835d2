import json
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

import gatewise
from benchmarks.harness import Result
from benchmarks.recurrence import (
    bandwidth,
    budget,
    ceiling,
    command,
    onnx_peer,
    plain,
    remote,
    roofline,
    timing,
)
from benchmarks.recurrence.command import BENCHMARK, gate, run
from benchmarks.recurrence.models import Model, of_layer
from benchmarks.recurrence.settings import Settings
from benchmarks.recurrence.shapes import Shape, StepShape
from benchmarks.recurrence.timing import take_turns
from gatewise.errors import InputError

SMALL, LONG = Shape(2, 5, 3, 4), Shape(1, 200, 2, 3)
WIDE = Shape(4, 20, 8, 16)
"""With more sequences than those whose input is multiplied before time begins."""

TINY = Settings(
    threads=(1,),
    budget=0.001,
    usual=(SMALL, LONG),
    cells=(SMALL,),
    steps=(StepShape(3, 4), StepShape(2, 256)),
    phases=(SMALL, WIDE),
    peak=SMALL,
    memory=Shape(4, 20, 8, 16),
    first=SMALL,
    length=SMALL,
    lengths=(5, 10, 40),
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch, threads_as_before):
    monkeypatch.setattr(timing, "WARM", 0.0)
    monkeypatch.setattr(bandwidth, "NBYTES", 1 << 20)


def checked(*names):
    result = run(TINY, names)
    assert gate(result) is None
    assert {row["part"] for row in result.rows} == set(names)
    return result


def test_plain_has_a_figure_for_each_mode_and_number_of_threads():
    figures = checked("plain").figures
    wanted = {"fb_all_ratio_1t", "fb_last_ratio_1t", "inference_ratio_1t", "least_ratio_1t"}
    if onnx_peer.is_there():
        wanted.add("inference_onnx_ratio_1t")
    assert set(figures) == wanted
    assert all(value > 0 for value in figures.values())


def test_a_step_is_compared_with_torchs_cell():
    figures = checked("stream").figures
    assert {"step_lstmcell_ratio", "step_large_lstmcell_ratio"} <= set(figures)
    assert ("step_onnx_ratio" in figures) == onnx_peer.is_there()


def test_cells_and_their_loops():
    result = checked("cells", "loops")
    for cell in ("peephole_lstm", "coupled_lstm", "gru", "elman"):
        assert {f"cells_relative_{cell}", f"user_loop_ratio_{cell}"} <= set(result.figures)
    figures = result.figures
    worst = min(value for name, value in figures.items() if name.startswith("user_loop_ratio"))
    assert figures["user_loop_ratio_worst"] == worst
    worst = max(value for name, value in figures.items() if name.startswith("cells_relative"))
    assert figures["cells_relative_worst"] == worst


def test_cost_against_time():
    result = checked("length")
    assert set(result.figures) == {"time_exponent_1t", "time_exponent"}
    assert len(result.rows) == 3


def test_share_of_the_peak():
    pytest.importorskip("llvmlite")
    figures = checked("peak").figures
    assert {"peak_share_inference", "peak_share_training"} <= set(figures)
    assert 0 < figures["peak_share_training"] < 1


def test_phases_add_up_to_a_step():
    pytest.importorskip("llvmlite")
    result = checked("budget")
    assert set(result.figures) == {f"budget_share_{phase}" for phase in budget.PRODUCTS}
    for row in result.rows:
        assert all(row[f"{phase}_ms"] > 0 for phase in budget.PHASES if phase != "rebuild")
        parts = sum(row[f"{phase}_ms"] for phase in (*budget.PHASES, "rest"))
        assert parts == pytest.approx(row["step_ms"])


def test_phases_on_two_threads_and_where_states_are_computed_again(monkeypatch):
    pytest.importorskip("llvmlite")
    from gatewise.engines.cpu import forward_run, task

    monkeypatch.setattr(forward_run, "_LARGE", 0)
    monkeypatch.setattr(task, "_WORTH_THREADS", 0)
    part = budget.measure(replace(TINY, threads=(1, 2), phases=(Shape(3, 70, 4, 6),)))
    assert gate(Result({}, part.rows)) is None
    assert [row["threads"] for row in part.rows] == [1, 2]
    assert all(row["rebuild_ms"] > 0 for row in part.rows)


def test_phases_are_those_of_the_generated_engine_only():
    with gatewise.engine("reference"):
        part = budget.measure(TINY)
    assert part.rows == []
    assert part.notes == ["budget is left out: the engine is reference, and not cpu."]


@pytest.mark.slow
def test_memory_and_first_call_in_fresh_processes():
    figures = checked("memory", "start").figures
    assert {"bytes_ratio", "first_call_seconds", "cached_call_seconds"} <= set(figures)


def wrong_output(layer):
    right = of_layer(layer)
    return Model(lambda x: right.run(x) * 1.001, right.parameters)


def wrong_gradient(layer):
    right = of_layer(layer)
    return Model(lambda x: right.run(x), {**right.parameters, "weight_hh_l0": torch.ones(1)})


@pytest.mark.parametrize("peer", [wrong_output, wrong_gradient])
def test_a_wrong_peer_shuts_the_gate(peer, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(plain.PEERS, "wrong", peer)
    monkeypatch.setattr(command, "settings_of", lambda options: TINY)
    target, picture = tmp_path / "recurrence.json", tmp_path / "recurrence.png"
    asked = ["--only", "plain", "--threads", "1", "--json", str(target), "--plot", str(picture)]
    assert BENCHMARK.main(asked) == 1
    record = json.loads(target.read_text())
    assert record["figures"] == {}
    assert "wrong: " in record["gate"]
    assert "is off by" in capsys.readouterr().err
    assert not picture.exists()


def test_a_part_that_breaks_shuts_the_gate_and_keeps_the_rows_of_the_others(monkeypatch):
    monkeypatch.setitem(command.PARTS, "cells", lambda settings: 1 / 0)
    result = run(TINY, ("length", "cells"))
    assert len(result.rows) == len(TINY.lengths) + 1
    assert gate(result) == "cells: ended with ZeroDivisionError: division by zero"


def test_command_writes_table_and_picture(tmp_path):
    page, picture = tmp_path / "table.md", tmp_path / "bars.png"
    asked = ["--only", "plain", "--threads", "1", "--shapes", "2x5x3x4", "3x4x2x5"]
    wanted = ["--markdown", str(page), "--plot", str(picture), "--budget", "0.001"]
    assert BENCHMARK.main([*asked, *wanted]) == 0
    assert "2x5x3x4" in page.read_text()
    assert "least_ratio_1t" in page.read_text()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_roofline_of_the_parts_that_it_needs(monkeypatch, tmp_path, capsys):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(command, "settings_of", lambda options: TINY)
    target = tmp_path / "roofline.png"
    asked = ["--threads", "1", "--roofline", str(target), "--only"]
    assert BENCHMARK.main([*asked, "plain"]) == 0
    assert "roofline is not drawn: there are no rows of peak." in capsys.readouterr().out
    assert not target.exists()
    assert BENCHMARK.main([*asked, "plain,peak"]) == 0
    assert target.read_bytes().startswith(b"\x89PNG")


def test_ceiling_is_torchs_time_over_that_of_the_peak():
    peaks = [{"part": "peak", "threads": 1, "peak_gflops": g} for g in (50.0, 100.0)]
    work = 2 * 8 * 10 * 4 * 32 * (16 + 32)
    twice, thrice = (2 * work / 100e6, 3 * 3 * work / 100e6)
    plain = {"part": "plain", "case": "8x10x16x32", "threads": 1, "peer": "torch"}
    rows = [
        plain | {"mode": "inference", "peer_ms": twice},
        plain | {"mode": "all steps", "peer_ms": thrice},
        plain | {"mode": "last step", "peer_ms": 1.0},
        plain | {"mode": "inference", "peer": "onnx", "peer_ms": 1.0},
    ]
    found = ceiling.add([*peaks, *rows])
    assert found == pytest.approx({"inference_ceiling_1t": 2.0, "fb_all_ceiling_1t": 3.0})
    assert rows[0]["ceiling"] == pytest.approx(2.0)
    assert "ceiling" not in rows[2]
    assert not ceiling.add(rows)


def test_bytes_of_the_roofline():
    shape = Shape(batch=2, time=3, input=5, hidden=7)
    weights, x, y, gates = 4 * 7 * (5 + 7 + 2), 2 * 3 * 5, 2 * 3 * 7, 2 * 3 * 4 * 7
    inference = weights + x + y
    assert roofline.least_bytes(shape, "inference") == 4 * inference
    training = inference + 2 * gates + (x + y) + y + x + weights
    assert roofline.least_bytes(shape, "all steps") == 4 * training


def test_parts_that_do_not_exist_are_refused(capsys):
    assert BENCHMARK.main(["--only", "plain,strem", "--threads", "1"]) == 2
    assert "--only strem" in capsys.readouterr().err


def test_shapes_that_cannot_be_read_are_refused(capsys):
    with pytest.raises(SystemExit):
        BENCHMARK.main(["--shapes", "3x4"])
    assert "BATCHxTIMExINPUTxHIDDEN" in capsys.readouterr().err


def test_a_peer_that_cannot_be_installed_is_left_out_with_a_sentence(monkeypatch, capsys):
    def offline(peer):
        raise InputError(f"pip could not install {peer}.txt")

    monkeypatch.setattr(command, "settings_of", lambda options: TINY)
    monkeypatch.setattr(remote.environments, "make", offline)
    assert BENCHMARK.main(["--only", "plain", "--threads", "1", "--peers", "keras"]) == 0
    said = capsys.readouterr().out
    assert "plain: keras is left out: pip could not install keras.txt" in said
    assert "plain: equinox takes part with --peers equinox only." in said


@pytest.mark.slow
@pytest.mark.parametrize("peer", remote.PEERS)
def test_a_peer_of_another_library_is_a_row_of_its_own_behind_the_gate(peer):
    if not remote.environments.is_ready(peer):
        pytest.skip(f"no environment of {peer}: python -m benchmarks.peers.environments {peer}")
    result = run(replace(TINY, peers=(peer,)), ("plain",))
    assert gate(result) is None
    theirs = [row for row in result.rows if row["peer"] == peer]
    modes = {"inference", "all steps", "last step"}
    assert {(row["case"], row["mode"]) for row in theirs} == {
        (str(shape), mode) for shape in TINY.usual for mode in modes
    }
    assert all(row["peer_error"] < 1e-5 for row in theirs)
    assert peer in result.versions


def test_peers_take_turns():
    order = []
    peers = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    times = take_turns(peers, budget=0.02)
    assert times.rounds >= timing.LEAST_ROUNDS
    assert len(times.seconds["a"]) == len(times.seconds["b"])
    changes = sum(one != other for one, other in pairwise(order))
    assert changes >= 2 * times.rounds


RUNNER = """
from serving import main
def make(arrays, threads):
    if "x" not in arrays:
        raise SystemExit("there is no x")
    return {"inference": lambda: arrays["x"] * threads}
main(make, lambda mode, found: {"y": found}, ("numpy",))
"""


@pytest.fixture
def runner(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(remote.HERE))
    monkeypatch.setattr(remote, "HERE", tmp_path)
    monkeypatch.setattr(remote, "PEERS", {"other": "runner"})
    monkeypatch.setattr(remote.environments, "python_of", lambda name: sys.executable)
    (tmp_path / "runner.py").write_text(RUNNER)


def test_a_peer_in_a_process_of_its_own_takes_its_turn(runner):
    x = torch.ones(2, 3, 4)
    with remote.processes(("other",), {"x": x}, threads=3) as processes:
        trial = remote.RemoteTrial(processes["other"], "inference")
        trial()
        assert trial.answer()["y"].equal(3 * x)
        assert "numpy" in processes["other"].versions


def test_a_peer_that_ends_early_is_said_with_its_last_line(runner):
    with (
        pytest.raises(SystemExit, match="other ended early: there is no x"),
        remote.processes(("other",), {"z": torch.ones(1)}, threads=1),
    ):
        pass


def test_gate_names_the_first_wrong_row_and_counts_the_others():
    rows = [{"part": "plain", "case": "1x1x1x1", "wrong": "torch: y is off"}, {"part": "plain"}]
    assert gate(Result({}, rows)) == "plain 1x1x1x1: torch: y is off"
    assert "(and 1 more row)" in gate(Result({}, rows[:1] * 2))
    assert gate(Result({}, rows[1:])) is None
