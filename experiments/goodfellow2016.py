"""Goodfellow, Bengio & Courville 2016, chapter 10: the challenge of long-term dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from gatewise.nn import Recurrent

from . import chart
from .experiment import Budget, Experiment, Paper, Row, Rows, Setting, distinct, seeded, where
from .gradients import mean_reach, reach, step_jacobians
from .networks.bias import set_bias, set_chrono
from .statistics import decay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NETWORKS = (
    "narrow tanh rnn",
    "tanh rnn",
    "lstm forget bias 0",
    "lstm forget bias 1",
    "lstm forget bias 3",
    "lstm chrono",
)
SIZES = {"smoke": (8, 100), "modern": (64, 100)}
"""Units and the longest lag."""


def run(setting: Setting) -> list[Row]:
    """Follow the product of Jacobians back through random input, at the first weights."""
    rows: list[Row] = []
    units, lag = SIZES[setting.budget]
    for name in setting.parts:
        for seed in setting.seeds:
            with seeded(seed):
                layer = _layer(name, units, lag)
                # A few steps first, so that the state is not the one it starts from.
                x = torch.randn(lag + 20, layer.input_size, dtype=torch.float64)
                found = reach(step_jacobians(layer, x)[20:])
            rows.append({"part": name, "seed": seed, "reach": found})
    return rows


def _layer(name: str, units: int, lag: int) -> Recurrent:
    layer = Recurrent("elman" if "rnn" in name else "lstm", 8, units, dtype=torch.float64)
    if "narrow" in name:
        # Weights as torch draws them, instead of orthogonal ones.
        for weight in layer.parameters():
            torch.nn.init.uniform_(weight, -(units**-0.5), units**-0.5)
    elif "bias" in name:
        set_bias(layer, "f", float(name[-1]))
    elif "chrono" in name:
        set_chrono(layer, lag)
    return layer


def _curve(rows: Rows, name: str) -> list[float]:
    return mean_reach([cast(Any, row["reach"]) for row in where(rows, part=name)])


def summary(rows: Rows) -> list[Row]:
    """How much of a gradient is left after 10 and 100 steps, and how straight its fall is."""
    lines: list[Row] = []
    for (name,) in distinct(rows, "part"):
        curve = _curve(rows, name)
        slope, r2 = decay(curve)
        lines.append(
            {
                "network": name,
                "seeds": len(where(rows, part=name)),
                "sigma_max after 10 steps": curve[10],
                "after 100": curve[100],
                "tenfold fall every (steps)": -1 / slope if slope < 0 else "grows",
                "R2 of the exponential": r2,
            }
        )
    return lines


def criteria(rows: Rows) -> list[tuple[str, bool]]:
    """The chapter's claims."""
    found: list[tuple[str, bool]] = []
    names = [name for (name,) in distinct(rows, "part")]
    for name in names:
        curve = _curve(rows, name)
        slope, r2 = decay(curve)
        if "rnn" in name:
            sentence = f"the {name}'s gradient falls exponentially (R2 {r2:.3f}, above 0.95)"
            found.append((sentence, slope < 0 and r2 > 0.95))
        if name in ("lstm forget bias 3", "lstm chrono"):
            low, high = min(curve), max(curve)
            sentence = (
                f"{name}: over 100 steps sigma_max stays within a factor of 10 (from {low:.3g} to "
                f"{high:.3g})"
            )
            found.append((sentence, high <= 10 * low))
    biases = [name for name in names if "bias" in name]
    if len(biases) > 1:
        left = [_curve(rows, name)[100] for name in biases]
        texts = ", ".join(f"{value:.2g}" for value in left)
        sentence = f"the larger the forget bias, the more is left after 100 steps ({texts})"
        found.append((sentence, left == sorted(left)))
    return found


def draw(rows: Rows) -> Figure | None:
    """Each network's curve."""
    figure, (axes,) = chart.canvas(7.6, 3.2)
    curves = {name: _curve(rows, name) for (name,) in distinct(rows, "part")}
    chart.lines(axes, {name: (range(len(y)), y) for name, y in curves.items()})
    chart.logarithmic(axes.yaxis)
    axes.set_ylim(bottom=1e-12)
    axes.set_xlabel("lag, steps")
    axes.set_ylabel("sigma_max of the product of Jacobians")
    return figure


EXPERIMENT = Experiment(
    name="goodfellow2016",
    title="How far back does a gradient reach before anything is learned?",
    papers=(
        Paper(
            "Goodfellow, Bengio & Courville",
            2016,
            "Deep Learning, chapter 10",
            "https://www.deeplearningbook.org/contents/rnn.html",
        ),
        Paper(
            "Tallec & Ollivier",
            2018,
            "Can Recurrent Neural Networks Warp Time?",
            "https://arxiv.org/abs/1804.11188",
        ),
    ),
    budgets={
        "smoke": Budget("8 units.", NETWORKS, 2),
        "modern": Budget("64 units, random inputs, first weights.", NETWORKS, 5),
    },
    run=run,
    summary=summary,
    criteria=criteria,
    draw=draw,
    reading=(
        "The gradient of a loss to a state k steps earlier is the loss's gradient times a product "
        "of k Jacobians; its largest singular value is the most that can be left of it. An "
        "LSTM's memory multiplies it by the forget gate at each step, which its bias holds near "
        "1; what goes through the gates is added, and can make it grow. Chrono biases give each "
        "unit a reach of its own, up to the lag."
    ),
    deviations=(
        "The narrow tanh RNN has the uniform weights that torch draws; the plain one has the "
        "orthogonal ones that Gatewise draws.",
        "The bound of a factor of 10 over 100 steps is ours.",
    ),
)
