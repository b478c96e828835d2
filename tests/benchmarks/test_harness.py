import argparse
import json
from pathlib import Path

import pytest

from benchmarks.harness import Benchmark, Options, Result, over_seeds, table
from gatewise.errors import InputError

pytestmark = pytest.mark.usefixtures("threads_as_before")


def measured(figures, rows=()):
    return lambda options: Result(figures, list(rows))


def passes(result):
    return None


def test_json_says_what_was_measured_and_where(tmp_path, capsys):
    target = tmp_path / "results" / "adding.json"
    benchmark = Benchmark("adding", measured({"sum": 2.0}, [{"model": "ours", "sum": 2.0}]), passes)
    assert benchmark.main(["--threads", "1", "--json", str(target)]) == 0
    record = json.loads(target.read_text())
    assert record["benchmark"] == "adding"
    assert record["figures"] == {"sum": 2.0}
    assert record["gate"] is None
    assert record["rows"] == [{"model": "ours", "sum": 2.0}]
    assert record["threads"] == 1
    assert set(record["machine"]) >= {"cpu", "cores", "ram_gib", "os"}
    assert set(record["versions"]) >= {"gatewise", "torch", "numpy"}
    assert record["command"].startswith("python -m benchmarks.adding --threads 1")
    assert record["commit"] is None or len(record["commit"].removesuffix("-dirty")) == 40
    assert record["time"].endswith("+00:00")
    assert "| model | sum |" in capsys.readouterr().out
    assert list(target.parent.iterdir()) == [target]


def test_a_shut_gate_gives_status_one_and_no_figures(tmp_path, capsys):
    target = tmp_path / "adding.json"
    benchmark = Benchmark("adding", measured({"sum": 3.0}), lambda result: "1 + 1 is not 3")
    assert benchmark.main(["--threads", "1", "--json", str(target)]) == 1
    record = json.loads(target.read_text())
    assert record["figures"] == {}
    assert record["gate"] == "1 + 1 is not 3"
    assert "1 + 1 is not 3" in capsys.readouterr().err


def test_a_figure_that_is_not_finite_shuts_the_gate(tmp_path):
    target = tmp_path / "adding.json"
    rows = [{"model": "ours", "sum": float("nan")}]
    benchmark = Benchmark("adding", measured({"sum": float("nan")}, rows), passes)
    assert benchmark.main(["--threads", "1", "--json", str(target)]) == 1
    record = json.loads(target.read_text())
    assert "sum" in record["gate"]
    assert record["rows"] == [{"model": "ours", "sum": None}]


def test_missing_data_is_status_two_and_nothing_written(tmp_path, capsys):
    def measure(options: Options) -> Result:
        options.folder("m4_hourly")
        return Result({})

    target = tmp_path / "x.json"
    arguments = ["--data", str(tmp_path), "--threads", "1", "--json", str(target)]
    assert Benchmark("x", measure, passes).main(arguments) == 2
    assert "m4_hourly" in capsys.readouterr().err
    assert not target.exists()


def test_seeds_and_own_arguments_reach_the_measurement():
    seen = {}

    def measure(options: Options) -> Result:
        seen.update(seeds=options.seeds, own=vars(options.own), data=options.data)
        return over_seeds(options.seeds, lambda seed: {"error": float(seed)})

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, default=3)

    benchmark = Benchmark("x", measure, passes, seeds=(0, 1), arguments=arguments)
    command = ["--threads", "1", "--seeds", "4", "6", "--limit", "9", "--data", "there"]
    assert benchmark.main(command) == 0
    assert seen == {"seeds": (4, 6), "own": {"limit": 9}, "data": Path("there")}


def test_input_error_names_the_folder(tmp_path):
    with pytest.raises(InputError, match="etth1"):
        Options(tmp_path, 1, ()).folder("etth1")


def test_a_column_that_a_row_lacks_stays_empty():
    lines = table([{"model": "a", "mase": 1.0}, {"model": "b", "msis": 2.0}]).splitlines()
    assert [len(line) for line in lines] == [len(lines[0])] * 4
    assert lines[3].split("|")[2].strip() == ""


@pytest.mark.parametrize("threads", ["0", "-1", "two"])
def test_threads_must_be_positive(threads):
    with pytest.raises(SystemExit):
        Benchmark("x", measured({}), passes).main(["--threads", threads])
