"""Other cells and regularisers beside our own plain LSTM, at the same number of gates."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

import gatewise

from .correctness import TOLERANCE, truth, worst_error, wrong
from .models import Answer, Loss, Training, in_double, losses, of_layer
from .part import Part
from .settings import Settings, all_threads
from .timing import take_turns
from .variants import PLAIN, present

MODE = "all steps"
BASE = "lstm"


def measure(settings: Settings) -> Part:
    part = Part()
    variants, left_out = present()
    part.notes += [f"cells: {sentence}" for sentence in left_out]
    variants = {BASE: PLAIN, **variants}
    for shape in settings.cells:
        torch.manual_seed(0)
        x = torch.randn(shape.batch, shape.time, shape.input)
        loss = losses(shape.batch, shape.time, shape.hidden)[MODE]
        layers = {n: v.layer(shape.input, shape.hidden) for n, v in variants.items()}
        with all_threads(settings):
            expected = {name: reference(layer, x, loss) for name, layer in layers.items()}
        trials = {name: Training(of_layer(layer), x, loss) for name, layer in layers.items()}
        for threads in settings.each_thread_count():
            answers = {name: settled(layers[name], trials[name].answer) for name in layers}
            said = {n: wrong(n, a, expected[n], TOLERANCE) for n, a in answers.items()}
            errors = {n: worst_error(a, expected[n])[0] for n, a in answers.items()}
            times = take_turns(trials, settings.budget * len(trials) / 2)
            for name, variant in variants.items():
                at_same_gates = PLAIN.gate_rows / variant.gate_rows
                part.rows.append(
                    {
                        "part": "cells",
                        "case": str(shape),
                        "mode": MODE,
                        "threads": threads,
                        "cell": name,
                        "gate_rows": variant.gate_rows,
                        "ms": times.median(name) * 1e3,
                        "to_lstm": times.ratio(name, BASE),
                        "relative": times.ratio(name, BASE) * at_same_gates,
                        "relative_of_minima": times.ratio_of_minima(name, BASE) * at_same_gates,
                        "rounds": times.rounds,
                        "error": errors[name],
                        **({"wrong": said[name]} if said[name] else {}),
                    }
                )
    part.figures |= _figures(part.rows)
    return part


def reference(layer: gatewise.nn.Recurrent, x: Tensor, loss: Loss) -> Answer:
    """What a layer comes to in float64 on the reference engine, with nothing left to chance."""
    with gatewise.engine("reference"):
        return truth(of_layer(in_double(layer).eval()), x, loss)


def settled(layer: nn.Module, answer: Callable[[], Answer]) -> Answer:
    """What a layer answers with nothing left to chance: masks are drawn in training mode only."""
    layer.eval()
    try:
        return answer()
    finally:
        layer.train()


def _figures(rows: list[dict]) -> dict[str, float]:
    """Worst over shapes and threads, of each and of all."""
    worst: dict[str, float] = {}
    for row in rows:
        if row["cell"] != BASE:
            name = f"cells_relative_{row['cell']}"
            worst[name] = max(worst.get(name, 0.0), row["relative"])
    return worst | ({"cells_relative_worst": max(worst.values())} if worst else {})
