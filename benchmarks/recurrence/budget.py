"""Where the time of one training step goes: the engine's phases, and all that is not the engine."""

from __future__ import annotations

from contextlib import closing

import torch
from torch import nn

import gatewise

from .contest import OURS
from .correctness import TOLERANCE, truth, worst_error, wrong
from .fma_peak import FmaPeak
from .models import Training, in_double, losses, of_layer
from .part import Part
from .peak import PEAK
from .settings import Settings, all_threads
from .shapes import lstm_flops
from .timing import take_turns

MODE = "all steps"
ENGINE = "cpu"

PRODUCTS = ("forward", "backward", "outer")
"""Over time, back through time, gradients of weights: each multiplies as often as the others."""

PHASES = ("prepare", *PRODUCTS, "rebuild", "finish")


def measure(settings: Settings) -> Part:
    part = Part()
    for shape in settings.phases:
        torch.manual_seed(0)
        layer = nn.LSTM(shape.input, shape.hidden, batch_first=True)
        ours = gatewise.nn.LSTM(shape.input, shape.hidden, batch_first=True)
        ours.load_state_dict(layer.state_dict())
        x = torch.randn(shape.batch, shape.time, shape.input)
        chosen = gatewise.explain(ours, x).chosen
        if chosen != ENGINE:
            return Part(notes=[f"budget is left out: the engine is {chosen}, and not {ENGINE}."])
        # It needs what the engine needs.
        from .clock import Clock

        loss = losses(shape.batch, shape.time, shape.hidden)[MODE]
        with all_threads(settings):
            expected = truth(of_layer(in_double(layer)), x, loss)
        trial = Training(of_layer(ours), x, loss)
        for threads in settings.each_thread_count():
            with Clock(trial) as clock, closing(FmaPeak(threads)) as peak:
                answer = trial.answer()
                sentence = wrong(OURS, answer, expected, TOLERANCE)
                calls = {OURS: clock, PEAK: peak}
                times = take_turns(calls, 2 * settings.budget, own_pools=threads > 1)
            most = peak.flops / times.least(PEAK)
            bound = lstm_flops(shape) / most
            seconds = {phase: clock.least(phase) for phase in PHASES}
            step = clock.least("call")
            part.rows.append(
                {
                    "part": "budget",
                    "case": str(shape),
                    "mode": MODE,
                    "threads": threads,
                    "step_ms": step * 1e3,
                    **{f"{phase}_ms": taken * 1e3 for phase, taken in seconds.items()},
                    "rest_ms": (step - sum(seconds.values())) * 1e3,
                    "bound_ms": bound * 1e3,
                    **{f"{phase}_share": bound / seconds[phase] for phase in PRODUCTS},
                    "peak_gflops": most / 1e9,
                    "rounds": len(clock.calls),
                    "error": worst_error(answer, expected)[0],
                    **({"wrong": sentence} if sentence else {}),
                }
            )
    for phase in PRODUCTS:
        shares = [row[f"{phase}_share"] for row in part.rows if row["threads"] == 1]
        if shares:
            part.figures[f"budget_share_{phase}"] = min(shares)
    part.notes.append(
        "budget: bound_ms is what the multiplications of one of forward, backward and outer take "
        "at the measured peak; rest is Python, autograd and the memory of results."
    )
    return part
