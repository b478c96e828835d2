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
from .shapes import lstm_flops, parse
from .timing import take_turns

MODE = "all steps"
ENGINE = "cpu"

PRODUCTS = ("forward", "backward", "outer")
"""Over time, back through time, gradients of weights: each multiplies as often as the others."""

PHASES = ("prepare", *PRODUCTS, "rebuild", "finish")


def measure(settings: Settings) -> Part:
    part = Part()
    peaks: dict[int, float] = {}
    for shape in settings.phases:
        torch.manual_seed(0)
        layer = nn.LSTM(shape.input, shape.hidden, batch_first=True)
        ours = gatewise.nn.LSTM(shape.input, shape.hidden, batch_first=True)
        ours.load_state_dict(layer.state_dict())
        x = torch.randn(shape.batch, shape.time, shape.input)
        chosen = gatewise.explain(ours, x).chosen
        if chosen != ENGINE:
            return Part(notes=[f"budget is left out: the engine is {chosen}, and not {ENGINE}."])
        # It imports llvmlite, as the engine does, and only where the engine can.
        from .clock import Clock

        loss = losses(shape.batch, shape.time, shape.hidden)[MODE]
        with all_threads(settings):
            expected = truth(of_layer(in_double(layer)), x, loss)
        trial = Training(of_layer(ours), x, loss)
        for threads in settings.each_thread_count():
            # About as short as a phase, so that both find the machine undisturbed now and then.
            with Clock(trial) as clock, closing(FmaPeak(threads, seconds=0.01)) as peak:
                answer = trial.answer()
                calls = {OURS: clock, PEAK: peak}
                times = take_turns(calls, 2 * settings.budget, own_pools=threads > 1)
            peaks[threads] = max(peaks.get(threads, 0.0), peak.flops / times.least(PEAK))
            step, ms = clock.least("call") * 1e3, {p: clock.least(p) * 1e3 for p in PHASES}
            sentence = wrong(OURS, answer, expected, TOLERANCE)
            part.rows.append(
                {
                    "part": "budget",
                    "case": str(shape),
                    "mode": MODE,
                    "threads": threads,
                    "step_ms": step,
                    **{f"{phase}_ms": taken for phase, taken in ms.items()},
                    "rest_ms": step - sum(ms.values()),
                    "rounds": len(clock.calls),
                    "error": worst_error(answer, expected)[0],
                    **({"wrong": sentence} if sentence else {}),
                }
            )
    for row in part.rows:
        row |= _shares(row, peaks[row["threads"]])
    for phase in PRODUCTS:
        shares = [row[f"{phase}_share"] for row in part.rows if row["threads"] == 1]
        if shares:
            part.figures[f"budget_share_{phase}"] = min(shares)
    part.notes.append(
        "budget: bound_ms is what the multiplications of one of forward, backward and outer take "
        "at the measured peak; rest is Python, autograd and the memory of results."
    )
    return part


def _shares(row: dict, peak: float) -> dict[str, float]:
    """What each product takes at least, and how near each comes."""
    bound = lstm_flops(parse(row["case"])) / peak * 1e3
    shares = {f"{phase}_share": bound / row[f"{phase}_ms"] for phase in PRODUCTS}
    return {"peak_gflops": peak / 1e9, "bound_ms": bound, **shares}
