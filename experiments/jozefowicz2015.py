"""Jozefowicz, Zaremba & Sutskever 2015: which architecture, and the forget gate's bias."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import numpy as np

from . import chart, modern
from .experiment import Budget, Experiment, Paper, Row, Rows, Setting, distinct, seeded, where
from .modern import Recipe
from .networks.reader import Reader
from .statistics import median, share
from .stopping import OnSet
from .tasks.adding import Marked
from .tasks.arithmetic import Arithmetic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELLS: dict[str, tuple[str, float | None]] = {
    "tanh": ("elman", None),
    "lstm": ("lstm", 0.0),
    "lstm, no forget gate": ("nfg", None),
    "lstm, no input gate": ("nig", 0.0),
    "lstm, no output gate": ("nog", 0.0),
    "lstm, bias 1": ("lstm", 1.0),
    "gru": ("gru", None),
    "mut1": ("mut1", None),
    "mut2": ("mut2", None),
    "mut3": ("mut3", None),
}
"""Name to cell and first bias of its forget gate."""

PAPER = {"tanh": 0.29493, "lstm": 0.89228, "lstm, no forget gate": 0.29292,
         "lstm, no input gate": 0.75109, "lstm, no output gate": 0.86747, "lstm, bias 1": 0.90163,
         "gru": 0.89565, "mut1": 0.92135, "mut2": 0.89735, "mut3": 0.90728}  # fmt: skip
"""Next-character accuracy on the paper's arithmetic, of numbers with up to 8 digits."""

BIASES = {"forget bias 0": 0.0, "forget bias 1": 1.0, "chrono": "chrono"}
ERROR = 0.05


def run(setting: Setting) -> list[Row]:
    """Train every architecture on arithmetic, and the LSTM's first biases on adding."""
    small = setting.budget == "smoke"
    rows: list[Row] = []
    for part in setting.parts:
        names = BIASES if part == "bias" else CELLS
        measure = _bias if part == "bias" else _arithmetic
        chosen = ("tanh", "lstm, bias 1", "mut1") if small and part == "arithmetic" else names
        for name in chosen:
            for seed in setting.seeds:
                found = measure(name, seed, small)
                rows.append({"part": part, "model": name, "seed": seed, **found})
    return rows


def _arithmetic(name: str, seed: int, small: bool) -> Row:
    cell, forget = CELLS[name]
    task = Arithmetic(digits=1 if small else 2)
    recipe = Recipe(
        hidden=32 if small else 96,
        rate=1e-2 if small else 3e-3,
        batch=32 if small else 64,
        updates=150 if small else 3000,
        forget=forget,
    )
    with seeded(seed, 1) as rng:
        found = modern.train(cell, task, recipe, rng)
        return {"accuracy": _accuracy(found.network, task), "weights": found.network.weights}


def _accuracy(network: Reader, task: Arithmetic) -> float:
    """Next-character accuracy over the results of 1,000 new problems."""
    batch = task.draw(np.random.default_rng(1000), 1000)
    hits = network.answers(batch).argmax(-1) == batch.target.argmax(-1)
    return float(hits[batch.wanted].mean())


def _bias(name: str, seed: int, small: bool) -> Row:
    task = Marked(40 if small else 200)
    recipe = Recipe(
        hidden=16 if small else 32,
        rate=1e-2,
        updates=300 if small else 1500,
        forget=BIASES[name],  # type: ignore[arg-type]
        every=25,
    )
    with seeded(seed, 2) as rng:
        judge = OnSet(task.draw(np.random.default_rng(seed), 256), math.inf, ERROR)
        sequences = modern.train("lstm", task, recipe, rng, judge=judge).sequences
    return {"solved": sequences is not None, "sequences": sequences}


def summary(rows: Rows) -> list[Row]:
    """A line an architecture, then a line a first bias."""
    lines: list[Row] = []
    for (name,) in distinct(where(rows, part="arithmetic"), "model"):
        found = _accuracies(rows, name)
        row = where(rows, part="arithmetic", model=name)[0]
        lines.append(
            {
                "network": name,
                "weights": row["weights"],
                "accuracy, median": median(found),
                "least": min(found),
                "most": max(found),
                "paper (8 digits)": PAPER[name],
            }
        )
    for (name,) in distinct(where(rows, part="bias"), "model"):
        own = where(rows, part="bias", model=name)
        middle = median([cast("int | None", row["sequences"]) for row in own])
        lines.append(
            {
                "network": f"lstm, {name}, adding",
                "solved": share([row["solved"] for row in own]),
                "median sequences": "" if middle is None else f"{middle:,.0f}",
            }
        )
    return lines


def _accuracies(rows: Rows, name: str) -> list[float]:
    own = where(rows, part="arithmetic", model=name)
    return [cast(float, row["accuracy"]) for row in own]


def criteria(rows: Rows) -> list[tuple[str, bool]]:
    """The paper's order of architectures, and what a first bias does."""
    found: list[tuple[str, bool]] = []
    middle = {
        name: cast(float, median(_accuracies(rows, name)))
        for (name,) in distinct(where(rows, part="arithmetic"), "model")
    }
    if set(CELLS) <= middle.keys():
        gated = min(v for k, v in middle.items() if k not in ("tanh", "lstm, no forget gate"))
        sentence = (
            f"arithmetic: every network with a forget or update gate is above tanh ({gated:.3f} "
            f"against {middle['tanh']:.3f})"
        )
        found.append((sentence, gated > middle["tanh"]))
    if set(CELLS) <= middle.keys():
        without = middle["lstm, no forget gate"]
        lstms = [v for k, v in middle.items() if k.startswith("lstm") and "forget" not in k]
        sentence = f"arithmetic: of the LSTMs the one without forget gate is worst ({without:.3f})"
        found.append((sentence, without < min(lstms)))
        pairs = zip(_accuracies(rows, "lstm, bias 1"), _accuracies(rows, "lstm"), strict=True)
        wins = [one >= zero for one, zero in pairs]
        sentence = (
            f"arithmetic: a forget bias of 1 is at least as good as 0 ({sum(wins)} of "
            f"{len(wins)} seeds)"
        )
        found.append((sentence, sum(wins) >= 0.8 * len(wins)))
    found += _bias_criteria(rows)
    return found


def _bias_criteria(rows: Rows) -> list[tuple[str, bool]]:
    speed = {
        name: median(
            [cast("int | None", row["sequences"]) for row in where(rows, part="bias", model=name)]
        )
        for name in BIASES
    }
    if not where(rows, part="bias"):
        return []
    texts = {k: "never" if v is None else f"{v:,.0f}" for k, v in speed.items()}
    finite = [math.inf if v is None else v for v in speed.values()]
    listed = ", ".join(f"{name} {text}" for name, text in texts.items())
    sentence = (
        f"adding: the better the first biases fit the lag, the sooner it is learned ({listed})"
    )
    return [(sentence, finite[2] < math.inf and finite[2] <= finite[1] <= finite[0])]


def draw(rows: Rows) -> Figure | None:
    """Accuracy of each architecture, a dot a seed."""
    names = [name for (name,) in distinct(where(rows, part="arithmetic"), "model")]
    if not names:
        return None
    figure, (axes,) = chart.canvas(7.6, 0.8 + 0.3 * len(names))
    for place, name in enumerate(names):
        found = _accuracies(rows, name)
        axes.plot(found, [place] * len(found), "o", color=chart.COLOURS[0], alpha=0.6)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.5, len(names) - 0.5)
    axes.invert_yaxis()
    axes.set_xlabel("accuracy of the next character of the result")
    return figure


EXPERIMENT = Experiment(
    name="jozefowicz2015",
    title="Is another architecture better, and what does the forget gate's bias do?",
    papers=(
        Paper(
            "Jozefowicz, Zaremba & Sutskever",
            2015,
            "An Empirical Exploration of Recurrent Network Architectures",
            "https://proceedings.mlr.press/v37/jozefowicz15.html",
        ),
        Paper(
            "Tallec & Ollivier",
            2018,
            "Can Recurrent Neural Networks Warp Time?",
            "https://arxiv.org/abs/1804.11188",
        ),
    ),
    budgets={
        "smoke": Budget("Numbers of one digit, three architectures.", ("arithmetic", "bias"), 1),
        "modern": Budget(
            "Numbers of up to two digits, all architectures for equally many updates; adding "
            "over 200 steps with three first biases.",
            ("arithmetic", "bias"),
            3,
        ),
    },
    run=run,
    summary=summary,
    criteria=criteria,
    draw=draw,
    reading=(
        "Arithmetic is read character by character with letters in between, and the result is "
        "written. Each architecture has the same units, so LSTMs have more weights than GRUs."
    ),
    deviations=(
        "The paper has numbers of up to 8 digits, tunes each architecture and trains for longer; "
        "its accuracies are for orientation.",
        "The three ablations are Greff's, with peepholes.",
        "MUT1 to MUT3 as in `gatewise.cells`: the input is projected where the paper adds it.",
        "Adding over 200 steps is our sharper test of the bias, not the paper's.",
    ),
)
