"""Run a file of torch's own tests with `gatewise.nn.LSTM` and `GRU` in the place of torch's.

`python -m tests.external.in_torchs_place test_nn.py -k test_RNN`; the last line says how many calls
went through ours. The tests are of an older torch than the one installed, hence the stand-ins for
what has another name now.
"""

from __future__ import annotations

import atexit
import runpy
import sys
from functools import wraps

import torch

from gatewise import nn
from gatewise.nn.layers.drop_in import DropIn

CALLS = "calls through gatewise:"


def count_calls() -> None:
    """Count the calls of our layers, and say the number at the end."""
    own, calls = DropIn.forward, []

    @wraps(own)
    def forward(self, *args, **kwargs):
        calls.append(type(self))
        return own(self, *args, **kwargs)

    DropIn.forward = forward
    atexit.register(lambda: print(CALLS, len(calls)))


def take_the_place() -> None:
    """Put our layers where the tests look for torch's; before these are imported."""
    for ours in (nn.LSTM, nn.GRU):
        for place in (torch.nn, torch.nn.modules, torch.nn.modules.rnn):
            setattr(place, ours.__name__, ours)


def stand_in() -> None:
    """Give the installed torch the test helpers that the older tests import."""
    from torch.testing._internal import common_cuda, common_mkldnn, common_nn

    def unchanged(*args, **kwargs):
        return args[0] if len(args) == 1 and callable(args[0]) else lambda test: test

    for place, name, value in (
        (common_nn, "module_tests", []),
        (common_nn, "new_module_tests", []),
        (common_cuda, "tf32_is_not_fp32", lambda: False),
        (common_mkldnn, "bf32_on_and_off", unchanged),
    ):
        if not hasattr(place, name):
            setattr(place, name, value)


if __name__ == "__main__":
    take_the_place()
    stand_in()
    count_calls()
    file = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_path(file, run_name="__main__")
