"""Cost against the number of time steps."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import gatewise

from .contest import OURS
from .correctness import TOLERANCE, truth, worst_error, wrong
from .models import Training, in_double, losses, of_layer
from .part import Part
from .settings import Settings, all_threads
from .timing import take_turns

MODE = "all steps"
"""A loss on the last step alone would leave out what no gradient reaches, most of a sequence."""


def measure(settings: Settings) -> Part:
    part = Part()
    for shape in (settings.length._replace(time=time) for time in settings.lengths):
        torch.manual_seed(0)
        layer = nn.LSTM(shape.input, shape.hidden, batch_first=True)
        ours = gatewise.nn.LSTM(shape.input, shape.hidden, batch_first=True)
        ours.load_state_dict(layer.state_dict())
        x = torch.randn(shape.batch, shape.time, shape.input)
        loss = losses(shape.batch, shape.time, shape.hidden)[MODE]
        with all_threads(settings):
            expected = truth(of_layer(in_double(layer)), x, loss)
        trial = Training(of_layer(ours), x, loss)
        for threads in settings.each_thread_count():
            answer = trial.answer()
            sentence = wrong(OURS, answer, expected, TOLERANCE)
            times = take_turns({OURS: trial}, settings.budget)
            part.rows.append(
                {
                    "part": "length",
                    "case": str(shape),
                    "mode": MODE,
                    "threads": threads,
                    "ms": times.median(OURS) * 1e3,
                    "least_ms": times.least(OURS) * 1e3,
                    "rounds": times.rounds,
                    "error": worst_error(answer, expected)[0],
                    **({"wrong": sentence} if sentence else {}),
                }
            )
    for threads in settings.threads:
        least = [row["least_ms"] for row in part.rows if row["threads"] == threads]
        slope = np.polyfit(np.log(settings.lengths), np.log(least), 1)[0]
        part.figures[f"time_exponent_{threads}t"] = float(slope)
    part.figures["time_exponent"] = max(part.figures.values())
    return part
