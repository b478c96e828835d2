"""The sizes that are measured."""

from __future__ import annotations

import argparse
from typing import NamedTuple


class Shape(NamedTuple):
    """Sizes of one layer and its batch."""

    batch: int
    time: int
    input: int
    hidden: int

    def __str__(self) -> str:
        return "x".join(map(str, self))


class StepShape(NamedTuple):
    """Sizes of one layer that runs one step of one sequence."""

    input: int
    hidden: int

    def __str__(self) -> str:
        return "x".join(map(str, self))


USUAL = (
    Shape(1, 100, 64, 128),
    Shape(32, 100, 16, 64),
    Shape(32, 100, 64, 128),
    Shape(8, 1000, 64, 128),
    Shape(64, 200, 128, 256),
    Shape(128, 50, 256, 512),
    Shape(256, 365, 32, 256),
    Shape(7, 33, 5, 50),
    Shape(33, 50, 3, 100),
)
CELLS = (Shape(32, 100, 64, 128), Shape(64, 200, 128, 256))
STEPS = (StepShape(32, 64), StepShape(64, 128), StepShape(256, 256), StepShape(512, 512))
PHASES = (
    Shape(32, 100, 16, 64),
    Shape(32, 100, 64, 128),
    Shape(8, 1000, 64, 128),
    Shape(64, 200, 128, 256),
)
PEAK = Shape(64, 200, 128, 256)
MEMORY = Shape(256, 365, 64, 256)
FIRST = Shape(32, 100, 64, 128)
LENGTHS = (100, 300, 1000, 3000, 10000)
LENGTH = Shape(8, 1, 64, 128)
"""Batch, input and units that stay the same while the time grows."""

LONG = 200
"""Steps from which on a gradient that comes from the last step alone has time to vanish."""


def parse(text: str) -> Shape:
    """Read a shape from the command line.

    Example:
        >>> parse("32x100x64x128").hidden
        128
    """
    try:
        shape = Shape(*map(int, text.split("x")))
    except (TypeError, ValueError):
        shape = None
    if shape is None or min(shape) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a shape: give BATCHxTIMExINPUTxHIDDEN, such as 32x100x64x128"
        )
    return shape


def lstm_flops(shape: Shape) -> int:
    """Multiplications and additions of an LSTM's products, forward."""
    batch, time, inputs, hidden = shape
    return 2 * batch * time * 4 * hidden * (inputs + hidden)
