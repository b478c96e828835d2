"""Whatever a user can get wrong: one sentence, exit status 2, and nothing left behind."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gatewise as gw
from gatewise.data import read_panel
from gatewise.errors import InputError

HORIZON = 7
SMALL = ("--encoder.hidden-size", 8, "--trainer.max-steps", 5, "--quiet")


@pytest.fixture(autouse=True)
def _stub_tasks():
    """Here, the tasks are the real ones."""


def days(n: int, first: int = 0) -> list[str]:
    return [str(np.datetime64("2024-01-01") + i) for i in range(first, first + n)]


def table(rows: int, value: str = "", columns: str = "time,y", tail: str = "") -> str:
    """A CSV of so many days with a weekly wave, or one value in every row."""
    lines = [f"{d},{value or 10 + i % 7 + i % 3 / 10}{tail}" for i, d in enumerate(days(rows))]
    return "\n".join([columns, *lines]) + "\n"


GOOD = table(60)
TWO = "series,time,y\n" + "".join(
    f"{name},{line}\n" for name in "ab" for line in GOOD.splitlines()[1:]
)


def replaced(old: str, new: str, text: str = GOOD) -> str:
    assert old in text
    return text.replace(old, new)


def only(name: str, rows: int) -> str:
    """The two series, one of them cut."""
    lines = TWO.splitlines()
    mine = [line for line in lines if line.startswith(f"{name},")]
    return "\n".join(line for line in lines if line not in mine[rows:]) + "\n"


STAMP = days(1, 5)[0]

TABLES: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "empty": ("", ("data.csv is empty", "header and rows")),
    "header only": ("time,y\n", ("data.csv has a header and no rows", "add")),
    "no header": (GOOD.partition("\n")[2], ("starts with values", "add a first row")),
    "no numeric column": (table(60, "x"), ("no numeric column", "add one")),
    "a word in the target": (replaced(f"{STAMP},", f"{STAMP},x"), ("row 6", "'x15.2'", "'y'")),
    "a stamp that is none": (replaced(STAMP, "soon"), ("row 6", "'soon'", "'time'", "--time")),
    "stamps that are none": (replaced("2024-", "soon-"), ("row 1", "'soon-01-01'", "'time'")),
    "a stamp twice": (
        replaced(STAMP, days(1, 4)[0]),
        ("2024-01-05", "rows 5 and 6", "--series"),
    ),
    "mixed zones": (
        replaced(STAMP, f"{STAMP}T00:00+01:00", replaced(days(1, 6)[0], f"{STAMP}T00:00Z")),
        ("mixes time zones", "row 1: none", "one zone"),
    ),
    "infinite": (
        replaced(f"{STAMP},15.2", f"{STAMP},inf"),
        ("'y', 2024-01-06", "is infinite", "leave it empty"),
    ),
    "absurd": (
        replaced(f"{STAMP},15.2", f"{STAMP},1e300"),
        ("'y', 2024-01-06", "1e+300", "beyond 1e+100"),
    ),
    "all missing": (table(60, "NaN"), ("'y'", "no value in any row", "fill it")),
    "one series all missing": (
        "\n".join(
            line.rpartition(",")[0] + "," if line.startswith("b") else line
            for line in TWO.splitlines()
        ),
        ("series 'b'", "no value at all", "drop it or fill it"),
    ),
    "constant": (table(60, "5"), ("series 'y' is constant", "check the target column")),
    "shorter than the horizon": (
        table(6),
        ("series 'y' has 6 steps", "horizon of 7", "shorter horizon"),
    ),
    "one series shorter": (only("b", 5), ("series 'b' has 5 steps", "leave the series out")),
    "one row": (table(1), ("no series has two stamps", "--freq")),
    "not UTF-8": ("time,y\n2024-01-01,café\n".encode("latin1"), ("not UTF-8", "byte 21")),
    "UTF-16": (GOOD.encode("utf-16"), ("UTF-16", "save it as UTF-8")),
    "not text": (bytes(range(256)), ("not UTF-8",)),
    "too many cells": (replaced("15.2", "15.2,3"), ("data.csv", "correct")),
    "two columns of one name": (table(60, columns="y,y"), ("two columns called 'y'", "rename")),
    "a series in each row": (
        "V1,V2,V3,V4\n" + "".join(f"M{i},{i},{2 * i},{3 * i}\n" for i in range(20)),
        ("each row looks like a series ('V1' is 'M0', ...)", "'V2' to 'V4'", "one row per step"),
    ),
    "several targets": (
        TWO.replace("\n", ",7\n").replace("time,y,7", "time,cost,size"),
        ("several columns could be the target (cost, size)", "--target cost"),
    ),
}

FLAGS: dict[str, tuple[tuple[object, ...], tuple[str, ...]]] = {
    "horizon of zero": (("--horizon", 0), ("horizon is 0", "at least 1")),
    "horizon below zero": (("--horizon", -3), ("horizon is -3", "at least 1")),
    "horizon in parts": (("--horizon", 1.5), ("--horizon is '1.5'", "whole number")),
    "horizon in words": (("--horizon", "week"), ("--horizon is 'week'", "whole number")),
    "horizon too long": (("--horizon", 100), ("has 60 steps", "horizon of 100")),
    "no horizon": ((), ("--horizon is missing", "--help")),
    "window too long": (
        ("--horizon", 7, "--context", 100),
        ("context is 100", "has 60", "at most 53"),
    ),
    "window of zero": (("--horizon", 7, "--context", 0), ("context is 0", "at least 1")),
    "target": (("--horizon", 7, "--target", "yy"), ("target column 'yy'", "there are: time, y")),
    "time": (("--horizon", 7, "--time", "tme"), ("time column 'tme'", "did you mean 'time'?")),
    "series": (("--horizon", 7, "--series", "tim"), ("series column", "did you mean 'time'?")),
    "past": (("--horizon", 7, "--past", "price"), ("past column 'price'", "there are")),
    "future": (("--horizon", 7, "--future", "price"), ("future column 'price'", "there are")),
    "static": (("--horizon", 7, "--static", "price"), ("static column 'price'", "there are")),
    "target of stamps": (("--horizon", 7, "--target", "time"), ("'time' holds stamp", "y")),
    "used twice": (
        ("--horizon", 7, "--target", "y", "--past", "y"),
        ("'y' is named as target and as past", "choose one"),
    ),
    "clock": (("--horizon", 7, "--freq", "fortnight"), ("freq 'fortnight'", "'15min'")),
    "clock too coarse": (("--horizon", 2, "--freq", "MS"), ("'MS'", "rows fall on", "aggregate")),
    "clock too fine": (("--horizon", 7, "--freq", "h"), ("freq is 'h'", "24 such steps apart")),
    "flag": (("--horzion", 7), ("no flag --horzion", "did you mean '--horizon'?")),
    "flag within": (
        ("--horizon", 7, "--encoder.hiden-size", 8),
        ("no flag --encoder.hiden-size", "did you mean '--encoder.hidden-size'?"),
    ),
    "flag of nothing": (("--horizon", 7, "--colour", "red"), ("no flag --colour", "--help")),
    "cell": (("--horizon", 7, "--encoder.cell", "lsmt"), ("no cell 'lsmt'", "'lstm'")),
    "output": (("--horizon", 7, "--output", "quantil"), ("quantil", "student_t")),
    "levels": (("--horizon", 7, "--quantiles", 0.5, 1.5), ("[0.5, 1.5]", "between 0 and 1")),
    "learning rate": (("--horizon", 7, "--trainer.lr", -1), ("lr is -1.0", "above 0")),
    "out": (("--horizon", 7, "--out", "."), ("--out .", "new folder")),
    "out nowhere": (("--horizon", 7, "--out", "no/model"), ("no folder", "make it first")),
    "out on a file": (("--horizon", 7, "--out", "data.csv"), ("data.csv is a file", "a folder")),
}


def one_sentence(status: int, error: str, said: tuple[str, ...]) -> None:
    """Status 2 and one line on standard error that says all of it."""
    assert status == 2, error
    assert error.startswith("gatewise: ")
    assert error.endswith("\n")
    assert error.count("\n") == 1, error
    assert not re.search(r"\w\. |\? ", error), error
    for part in said:
        assert part in error


def held(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with good data, to work in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(GOOD)
    return tmp_path


def refused(run, folder: Path, words: tuple[object, ...], said: tuple[str, ...]) -> None:
    before = held(folder)
    status, shown, error = run(*words)
    one_sentence(status, error, said)
    assert shown == ""
    assert held(folder) == before


@pytest.mark.parametrize("name", TABLES)
def test_tables(run, folder, name):
    content, said = TABLES[name]
    (folder / "data.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    words = ("fit", "forecaster", "data.csv", "--horizon", HORIZON, "--out", "model", *SMALL)
    refused(run, folder, words, said)


@pytest.mark.parametrize("name", TABLES)
def test_tables_in_python(folder, name):
    content, _ = TABLES[name]
    (folder / "data.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError):
        gw.Forecaster(HORIZON).fit("data.csv")


@pytest.mark.parametrize("name", FLAGS)
def test_flags(run, folder, name):
    flags, said = FLAGS[name]
    out = () if "--out" in flags else ("--out", "model")
    refused(run, folder, ("fit", "forecaster", "data.csv", *flags, *out, *SMALL), said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dats.csv", ("no file dats.csv", "did you mean 'data.csv'?")),
        ("data.xlsx", ("data.xlsx", "neither .csv")),
        ("folder.csv", ("folder.csv is a folder", "name a file")),
    ],
)
def test_files_that_cannot_be_read(run, folder, name, said):
    (folder / "folder.csv").mkdir()
    words = ("fit", "forecaster", name, "--horizon", HORIZON, "--out", "model", *SMALL)
    refused(run, folder, words, said)


def test_a_file_that_is_not_ours_to_read(run, folder, monkeypatch):
    def closed(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", closed)
    words = ("fit", "forecaster", "data.csv", "--horizon", HORIZON, "--out", "model", *SMALL)
    refused(run, folder, words, ("cannot read data.csv", "Permission denied"))


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A model that knows a price ahead."""
    path = tmp_path_factory.mktemp("saved") / "model"
    known = {"past": np.arange(60) % 3, "y": np.arange(60) % 7}
    rows = "".join(
        f"{name},{day},{y},{price},{price}\n"
        for name in "ab"
        for day, y, price in zip(days(60), known["y"], known["past"], strict=True)
    )
    source = path.with_name("known.csv")
    source.write_text("series,time,y,price,promo\n" + rows)
    gw.Forecaster(
        HORIZON,
        columns=gw.Columns(target="y", future=("price", "promo")),
        trainer=gw.Trainer(max_steps=5),
        encoder=gw.nn.Encoder(hidden_size=8),
    ).fit(source).save(path)
    return path


def ahead(price: list[str], promo: list[str]) -> str:
    """The history, and what is known of the week after it for series a; all of it for b."""
    rows = [f"a,{d},,{p},{q}" for d, p, q in zip(days(7, 60), price, promo, strict=True)]
    rows += [f"b,{d},,1,1" for d in days(7, 60)]
    return "\n".join(rows) + "\n"


ALL = ["1"] * 7


@pytest.mark.parametrize(
    ("future", "said"),
    [
        (
            "",
            (
                "column 'price' for series 'a' at 2024-03-01 to 2024-03-07",
                "series 'b' at 2024-03-01 to 2024-03-07, column 'promo'",
                "add rows",
            ),
        ),
        (
            ahead(["1", "", "", "1", "1", "", "1"], ALL),
            ("'price' for series 'a' at 2024-03-02 to 2024-03-03, 2024-03-06:",),
        ),
        (ahead(ALL, ["1"] * 6 + [""]), ("column 'promo' for series 'a' at 2024-03-07:",)),
    ],
)
def test_future_covariates_that_are_absent(run, folder, model, future, said):
    (folder / "new.csv").write_text(model.with_name("known.csv").read_text() + future)
    refused(run, folder, ("predict", model, "new.csv", "--out", "out.csv"), said)
    with pytest.raises(InputError, match="future values are missing"):
        gw.load(model).predict(folder / "new.csv")


def test_future_covariates_that_are_there(run, folder, model):
    (folder / "new.csv").write_text(model.with_name("known.csv").read_text() + ahead(ALL, ALL))
    assert run("predict", model, "new.csv", "--out", "out.csv")[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",price,", ",prise,", ("future column 'price'", "did you mean 'prise'?")),
        (",y,", ",sold,", ("target column 'y' is not in the data", "there are")),
        ("series,", "shop,", ("series column 'series' is not in the data", "there are")),
    ],
)
def test_columns_that_were_there_when_it_was_fitted(run, folder, model, old, new, said):
    history = model.with_name("known.csv").read_text()
    (folder / "new.csv").write_text(history.replace(old, new, 1))
    refused(run, folder, ("predict", model, "new.csv"), said)


@pytest.mark.parametrize("verb", ["predict", "backtest", "info"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", ("no model at nothing", "check the path")),
        ("other", ("other is not a saved model", "check the path")),
        ("data.csv", ("data.csv is not a saved model",)),
        ("broken", ("broken",)),
    ],
)
def test_folders_that_are_no_model(run, folder, verb, name, said):
    (folder / "other").mkdir()
    (folder / "broken").mkdir()
    (folder / "broken" / "model.json").write_text('{"format": "gatewise mod')
    words = (verb, name) if verb == "info" else (verb, name, "data.csv")
    refused(run, folder, words, said)


@pytest.mark.parametrize("clock", ["h", "M"])
def test_another_clock_than_it_was_fitted_on(run, folder, clock):
    words = ("fit", "forecaster", "data.csv", "--horizon", HORIZON, "--out", "model", *SMALL)
    assert run(*words)[0] == 0
    stamps = np.datetime64("2024-01-01", clock) + np.arange(60)
    lines = [f"{s.astype('M8[s]')},{i % 7}" for i, s in enumerate(stamps)]
    (folder / "new.csv").write_text("\n".join(["time,y", *lines]) + "\n")
    refused(run, folder, ("predict", "model", "new.csv"), ("freq is 'D'", "take the clock"))


def test_what_was_guessed_once_is_not_guessed_again(run, folder):
    words = ("fit", "forecaster", "data.csv", "--horizon", HORIZON, "--out", "model", *SMALL)
    assert run(*words)[0] == 0
    first = run("predict", "model", "data.csv")
    more = GOOD.replace("\n", ",7\n").replace("time,y,7", "time,y,value")
    (folder / "more.csv").write_text(more)
    assert run("predict", "model", "more.csv") == first


def test_one_row_is_enough_of_a_history(run, folder):
    words = ("fit", "forecaster", "data.csv", "--horizon", HORIZON, "--out", "model", *SMALL)
    assert run(*words)[0] == 0
    (folder / "one.csv").write_text(table(1))
    status, shown, _ = run("predict", "model", "one.csv")
    assert status == 0
    assert [line.split(",")[1] for line in shown.splitlines()[1:]] == days(7, 1)


@pytest.mark.parametrize("limit", [0, 4000])
def test_a_full_disk(folder, limit):
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    words = ("fit", "forecaster", "data.csv", "--horizon", HORIZON, "--out", "model", *SMALL)
    command = [sys.executable, "-B", "-m", "gatewise", *map(str, words)]
    before = held(folder)
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, preexec_fn=limited, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("gatewise: ")
    assert "Traceback" not in done.stderr
    assert held(folder) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fit", "forecaster", "no.csv", "--horizon", "7", "--out", "model"), "no file no.csv"),
        (("fit", "forecaster", "data.csv", "--horizon", "0", "--out", "model"), "horizon is 0"),
        (("predict", "nothing", "data.csv"), "no model at nothing"),
        (("forecast",), "no command 'forecast'"),
    ],
)
def test_as_a_process(folder, words, said):
    before = held(folder)
    command = [sys.executable, "-m", "gatewise", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert held(folder) == before


def test_zeros_that_appear_in_what_is_held_out(folder):
    """A series that is positive for long, and then not, is no mistake."""
    values = 10 + np.sin(np.arange(120.0) * 2 * np.pi / 7)
    values[-3] = 0.0
    model = gw.Forecaster(HORIZON, trainer=gw.Trainer(max_steps=5)).fit(values)
    assert np.isfinite(model.predict(values)).all()


def test_gaps_everywhere_are_no_mistake():
    t = np.arange(400.0)
    values = np.sin(t * 2 * np.pi / 7) + 0.01 * t
    values[np.random.default_rng(0).random(400) < 0.4] = np.nan
    model = gw.Forecaster(24, trainer=gw.Trainer(max_steps=5)).fit(read_panel(values))
    assert np.isfinite(model.predict(values)).all()
