"""torch's own test files, `test_modules.py` and `test_nn.py`, with our LSTM and GRU."""

import os
import re
import subprocess
import sys

import pytest

from . import sources
from .in_torchs_place import CALLS

pytestmark = pytest.mark.external

# Names are matched as substrings: with these neither cells nor other modules come along.
MODULES = ["nn_LSTM_", "nn_GRU_"]
CHECKS = ["forward", "factory_kwargs", "repr", "save_load", "check_inplace", "errors", "to",
          "to_empty", "non_contiguous_tensors", "memory_format", "if_train_and_eval_modes_differ",
          "device_ctx_init", "multiple_device_transfer", "cpu_gpu_parity"]  # fmt: skip
LAYERS = ["test_rnn", "test_RNN", "test_LSTM", "test_GRU", "test_lstm", "test_gru",
          "test_projections", "test_variable_sequence", "test_save_lstm"]  # fmt: skip


def run(file, names, timeout=1500):
    """Run tests by name; give how many ran and how many calls were ours."""
    folder = sources.pytorch_tests()
    if not (folder / file).is_file():
        pytest.skip(f"torch's {file} is not in {folder}: python -m tests.external.sources pytorch")
    chosen = [word for name in names for word in ("-k", name)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.external.in_torchs_place", str(folder / file), *chosen],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        # The tests import their neighbours; they save into the folder that they run in.
        env={**os.environ, "PYTHONPATH": f"{sources.ROOT}{os.pathsep}{folder}"},
        cwd=folder,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    ran = re.search(r"Ran (\d+) tests? in .*\n\nOK(?: \(.*skipped=(\d+).*\))?", said)
    calls = re.search(rf"{CALLS} (\d+)", said)
    assert ran is not None, said[-2000:]
    assert calls is not None, said[-2000:]
    print(f"{file} {names}: {ran[0]!r}, {calls[0]}")
    return int(ran[1]) - int(ran[2] or 0), int(calls[1])


@pytest.mark.parametrize("name", MODULES)
def test_modules_but_for_second_derivatives(name):
    passed, calls = run("test_modules.py", [f"test_{check}_{name}" for check in CHECKS])
    assert passed >= 20
    assert calls >= 500


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_modules_with_derivatives(name):
    passed, calls = run(
        "test_modules.py", [f"test_{check}_{name}" for check in ("grad", "gradgrad")]
    )
    assert passed >= 4
    assert calls >= 1000


def test_layers():
    passed, calls = run("test_nn.py", LAYERS)
    assert passed >= 20
    assert calls >= 50
