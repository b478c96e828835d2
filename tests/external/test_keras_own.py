"""Keras's own tests of its recurrent layers, masks included, with our layers behind them."""

import json
import re
import shutil

import pytest

from . import sources
from .running import pytest_with

pytestmark = pytest.mark.external

# What each file's tests must have sent through our layers, at least: calls, and masked ones.
FILES = {
    "lstm_test.py": (20, 4),
    "gru_test.py": (20, 4),
    "simple_rnn_test.py": (15, 4),
    "bidirectional_test.py": (10, 2),
}


@pytest.fixture(scope="module")
def packages():
    """The folder with Keras, which comes with its tests."""
    folder = sources.keras_packages()
    if not (folder / "keras" / "src" / "layers" / "rnn").is_dir():
        pytest.skip(f"Keras is not in {folder}: python -m tests.external.sources keras")
    return folder


@pytest.mark.parametrize("file", FILES)
def test_layers(file, packages, tmp_path, monkeypatch):
    shutil.copy(packages / "keras" / "src" / "layers" / "rnn" / file, tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("GATEWISE_COUNTS", str(tmp_path / "counts.json"))
    said = pytest_with(packages, tmp_path, "-p", "tests.external.keras_seam", file,
                       KERAS_BACKEND="torch")  # fmt: skip
    summary = re.search(r"\d+ passed[^=]*", said)
    counts = json.loads((tmp_path / "counts.json").read_text())
    print(f"{file}: {summary and summary[0]}; {counts}")
    calls, masked = FILES[file]
    assert counts["ours"] >= calls
    assert counts["masked"] >= masked


def test_weights_of_its_layers(packages):
    said = pytest_with(packages, sources.ROOT, "tests/interop/test_keras_layers.py",
                       "-k", "beside_keras", "-o", "addopts=", KERAS_BACKEND="torch")  # fmt: skip
    assert re.search(r"12 passed(?!.*skipped)", said), said[-2000:]
