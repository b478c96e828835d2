"""How much of what the processor can do the plain LSTM does."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import nn

import gatewise

from .bandwidth import bandwidth
from .contest import OURS, contest
from .correctness import truth
from .fma_peak import FmaPeak
from .models import Answer, Inference, Training, Trial, in_double, losses, of_layer
from .part import Part
from .settings import Settings, all_threads
from .shapes import lstm_flops

PEAK = "peak"
BACKWARD = 2
"""Products of the backward pass, in forward passes: to what goes in, and to the weights."""


class Nothing(FmaPeak):
    """The peak as a trial: it has no answer to compare."""

    def answer(self) -> Answer:
        """Give what is compared."""
        return {}


def measure(settings: Settings) -> Part:
    if find_spec("llvmlite") is None:
        return Part(notes=["peak is left out: llvmlite, which makes its loop, is not installed."])
    part = Part()
    shape = settings.peak
    torch.manual_seed(0)
    layer = nn.LSTM(shape.input, shape.hidden, batch_first=True)
    ours = gatewise.nn.LSTM(shape.input, shape.hidden, batch_first=True)
    ours.load_state_dict(layer.state_dict())
    x = torch.randn(shape.batch, shape.time, shape.input)
    loss = losses(shape.batch, shape.time, shape.hidden)["all steps"]
    with all_threads(settings):
        expected = truth(of_layer(in_double(layer)), x, loss)
    forward = lstm_flops(shape)
    works: dict[str, tuple[Trial, Trial, int]] = {
        "inference": (Inference(of_layer(ours), x), Inference(of_layer(layer), x), forward),
        "training": (
            Training(of_layer(ours), x, loss),
            Training(of_layer(layer), x, loss),
            (1 + BACKWARD) * forward,
        ),
    }
    for threads in settings.each_thread_count():
        peak, copied = Nothing(threads), bandwidth(settings.budget)
        for mode, (mine, theirs, flops) in works.items():
            case = {"part": "peak", "case": str(shape), "mode": mode, "threads": threads}
            trials = {OURS: mine, "torch": theirs, PEAK: peak}
            pools = threads > 1
            rows, times = contest(case, trials, expected, 2 * settings.budget, own_pools=pools)
            # The best that the loop did in this contest is the peak; a slower run was disturbed.
            most = peak.flops / times.least(PEAK)
            for row in rows:
                if row["peer"] != PEAK:
                    row["peak_gflops"] = most / 1e9
                    row["memory_gb_s"] = copied / 1e9
                    row["share"] = flops / times.least(OURS) / most
                    row["peer_share"] = flops / times.least("torch") / most
                    part.rows.append(row)
                    part.figures[f"peak_share_{mode}_{threads}t"] = row["share"]
        peak.close()
    for mode in works:
        shares = [part.figures[f"peak_share_{mode}_{n}t"] for n in settings.threads]
        part.figures[f"peak_share_{mode}"] = min(shares)
    return part
