"""The textbook table of RNN against LSTM, each row measured."""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from gatewise.nn import Recurrent

from . import chart, modern
from .experiment import Budget, Experiment, Paper, Row, Rows, Setting, seeded, where
from .gradients import backward, mean_reach, step_jacobians
from .modern import Recipe
from .networks.reader import Reader
from .statistics import decay, share
from .stopping import OnSet
from .tasks.adding import Marked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODELS = {"tanh rnn": "elman", "lstm": "lstm"}
MEMORY = {
    "tanh rnn": "state written anew at each step: h = tanh(W x + U h)",
    "lstm": "state kept and added to: c = f * c + i * g; gates learn when",
}
ERROR = 0.05
"""Mean error of a task that counts as solved; the answer 0.5 has 0.17."""


class Sizes:
    """How much of each part a budget runs."""

    def __init__(self, setting: Setting) -> None:
        small = setting.budget == "smoke"
        self.lags = (20, 30) if small else (20, 30, 50, 100, 200, 400)
        self.either = (1e-2,) if small else (1e-2, 3e-3)
        self.updates = 200 if small else 1500
        self.rates = (1e-3, 1e-2) if small else (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
        self.stable_lag = 20 if small else 30
        self.stable_updates = 150 if small else 800
        self.followed = 1 if small else 4
        self.hidden = 16 if small else 32
        self.timed = (8, 20, 32, 3) if small else (32, 100, 128, 30)


def run(setting: Setting) -> list[Row]:
    """Measure the rows of the table that are asked for."""
    sizes = Sizes(setting)
    parts = {"gradient": _gradient, "lag": _lag, "stability": _stability, "cost": _cost}
    return [
        {"part": name, "model": model, **row}
        for name in setting.parts
        for model in MODELS
        for row in parts[name](model, setting.seeds, sizes)
    ]


def _lag(model: str, seeds: tuple[int, ...], sizes: Sizes) -> list[Row]:
    """Whether adding is learned at either learning rate, by the length of its sequences."""
    recipes = [Recipe(sizes.hidden, rate, updates=sizes.updates) for rate in sizes.either]
    return [
        {
            "seed": seed,
            "lag": lag,
            "solved": any(_solved(model, lag, recipe, seed) for recipe in recipes),
        }
        for lag in sizes.lags
        for seed in seeds
    ]


def _stability(model: str, seeds: tuple[int, ...], sizes: Sizes) -> list[Row]:
    """Whether a short lag is learned, by the learning rate."""
    return [
        {
            "seed": seed,
            "rate": rate,
            "solved": _solved(
                model,
                sizes.stable_lag,
                Recipe(hidden=sizes.hidden, rate=rate, updates=sizes.stable_updates),
                seed,
            ),
        }
        for rate in sizes.rates
        for seed in seeds
    ]


def _solved(model: str, lag: int, recipe: Recipe, seed: int) -> bool:
    with seeded(seed, lag) as rng:
        task = Marked(lag)
        judge = OnSet(task.draw(np.random.default_rng(seed), 256), math.inf, ERROR)
        return modern.train(MODELS[model], task, recipe, rng, judge=judge).sequences is not None


def _gradient(model: str, seeds: tuple[int, ...], sizes: Sizes) -> list[Row]:
    """The norm of the loss's gradient to the state, lag by lag, before and after learning."""
    rows: list[Row] = []
    for seed in seeds:
        with seeded(seed, 0) as rng:
            task = Marked(sizes.stable_lag)
            recipe = Recipe(hidden=sizes.hidden, rate=1e-2, updates=sizes.stable_updates)
            fresh = modern.train(MODELS[model], task, Recipe(sizes.hidden, updates=0), rng)
            trained = modern.train(MODELS[model], task, recipe, rng)
            x = Marked(100).draw(rng, sizes.followed).x[:, :100]
            for when, found in (("at first", fresh), ("trained", trained)):
                rows.append({"seed": seed, "when": when, "norms": _norms(found.network, x)})
    return rows


def _norms(network: Reader, x: np.ndarray) -> list[float]:
    layer = network.layer.double()
    gradient = torch.zeros(len(layer.cell.states) * layer.hidden_size, dtype=torch.float64)
    gradient[: layer.hidden_size] = network.head.weight[0].detach()
    return mean_reach(
        [backward(step_jacobians(layer, torch.from_numpy(one)), gradient) for one in x]
    )


def _cost(model: str, seeds: tuple[int, ...], sizes: Sizes) -> list[Row]:
    """Time of a training step, and weights of a layer with one bias a gate."""
    batch, steps, units, times = sizes.timed
    layer = Recurrent(MODELS[model], units, units)
    x = torch.randn(batch, steps, units)
    found = []
    for _ in range(times + 2):
        start = time.perf_counter()
        layer(x)[0].sum().backward()
        found.append(time.perf_counter() - start)
    weights = sum(p.numel() for name, p in layer.named_parameters() if "bias_hh" not in name)
    shape = f"{batch}x{steps}x{units}"
    return [{"seconds": statistics.median(found[2:]), "weights": weights, "shape": shape}]


def summary(rows: Rows) -> list[Row]:
    """The table: a line an aspect, a column a network."""
    lines: list[Row] = [{"aspect": "memory", **MEMORY}]
    for when in ("at first", "trained"):
        if where(rows, part="gradient", when=when):
            lines.append(
                {
                    "aspect": f"gradient left after 50 and 100 steps, {when}",
                    **{m: "{:.2g}, {:.2g}".format(*_left(rows, m, when)) for m in MODELS},
                }
            )
            fits = {m: decay(_norms_of(rows, m, when)) for m in MODELS}
            lines.append(
                {
                    "aspect": f"its fall as an exponential, {when}",
                    **{m: f"x {10**s:.3f} a step, R2 {r:.2f}" for m, (s, r) in fits.items()},
                }
            )
    for lag in dict.fromkeys(row["lag"] for row in where(rows, part="lag")):
        aspect = f"adding over {lag} steps: solved"
        lines.append({"aspect": aspect, **{m: _share(rows, m, lag=lag) for m in MODELS}})
    if where(rows, part="stability"):
        rates = sorted({cast(float, row["rate"]) for row in where(rows, part="stability")})
        aspect = f"solved over rates {rates[0]:g} to {rates[-1]:g} and seeds"
        lines.append({"aspect": aspect, **{m: _share(rows, m, part="stability") for m in MODELS}})
    costs = {m: where(rows, part="cost", model=m) for m in MODELS}
    if all(costs.values()):
        shape = costs["lstm"][0]["shape"]
        seconds = {m: cast(float, row[0]["seconds"]) for m, row in costs.items()}
        lines.append(
            {
                "aspect": f"training step, batch x time x units {shape}",
                **{m: f"{1000 * value:.2f} ms" for m, value in seconds.items()},
            }
        )
        lines.append(
            {"aspect": "weights", **{m: f"{row[0]['weights']:,}" for m, row in costs.items()}}
        )
    return lines


def _norms_of(rows: Rows, model: str, when: str) -> list[float]:
    own = where(rows, part="gradient", model=model, when=when)
    return mean_reach([cast(Any, row["norms"]) for row in own])


def _left(rows: Rows, model: str, when: str) -> tuple[float, float]:
    curve = _norms_of(rows, model, when)
    return curve[50], curve[100]


def _share(rows: Rows, model: str, **wanted: object) -> str:
    return share([row["solved"] for row in where(rows, model=model, **wanted)])


def longest(rows: Rows, model: str) -> int:
    """The longest lag that most runs solved; 0 where there is none."""
    lags = cast(Any, dict.fromkeys(row["lag"] for row in where(rows, part="lag", model=model)))
    solved = [lag for lag in lags if _rate(where(rows, part="lag", model=model, lag=lag)) > 0.5]
    return max(solved, default=0)


def _rate(rows: Rows) -> float:
    return sum(bool(row["solved"]) for row in rows) / len(rows) if rows else 0.0


def criteria(rows: Rows) -> list[tuple[str, bool]]:
    """The claims of the table."""
    found: list[tuple[str, bool]] = []
    if where(rows, part="gradient"):
        _, r2 = decay(_norms_of(rows, "tanh rnn", "at first"))
        found.append((f"the rnn's gradient falls exponentially, R2 {r2:.3f}", r2 > 0.95))
        rnn, lstm = (_left(rows, model, "at first")[1] for model in MODELS)
        sentence = f"of the lstm's more is left after 100 steps ({lstm:.2g} against {rnn:.2g})"
        found.append((sentence, lstm > rnn))
    if where(rows, part="lag"):
        rnn, lstm = (longest(rows, model) for model in MODELS)
        sentence = f"the lstm solves longer lags ({lstm} steps) than the rnn ({rnn})"
        found.append((sentence, lstm > rnn))
    if where(rows, part="stability"):
        rnn, lstm = (_rate(where(rows, part="stability", model=model)) for model in MODELS)
        sentence = f"more of the lstm's runs solve ({lstm:.0%} against {rnn:.0%})"
        found.append((sentence, lstm > rnn))
    costs = [where(rows, part="cost", model=model) for model in MODELS]
    if all(costs):
        rnn, lstm = (cast(int, row[0]["weights"]) for row in costs)
        found.append((f"the lstm has {lstm / rnn:g} times the weights", lstm == 4 * rnn))
    return found


def draw(rows: Rows) -> Figure | None:
    """Gradients over the lag, and what was solved."""
    if not where(rows, part="gradient") or not where(rows, part="lag"):
        return None
    figure, (left, right) = chart.canvas(7.6, 3.0, 2)
    curves = {
        f"{model}, {when}": _norms_of(rows, model, when)
        for model in MODELS
        for when in ("at first", "trained")
    }
    chart.lines(left, {name: (range(len(y)), y) for name, y in curves.items()})
    chart.logarithmic(left.yaxis)
    left.set_ylim(bottom=1e-12)
    left.set_xlabel("steps before the end")
    left.set_ylabel("norm of the gradient")
    left.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    solved = {}
    for model in MODELS:
        lags = list(dict.fromkeys(row["lag"] for row in where(rows, part="lag", model=model)))
        rates = [_rate(where(rows, part="lag", model=model, lag=lag)) for lag in lags]
        solved[model] = ([float(cast(Any, lag)) for lag in lags], rates)
    chart.lines(right, solved, mark="o")
    chart.logarithmic(right.xaxis)
    right.set_xlabel("steps of the adding problem")
    right.set_ylabel("share of runs that solve it")
    return figure


EXPERIMENT = Experiment(
    name="rnn_against_lstm",
    title="What does an LSTM have that a recurrent network lacks?",
    papers=(
        Paper(
            "Bengio, Simard & Frasconi",
            1994,
            "Learning Long-Term Dependencies with Gradient Descent is Difficult",
            "https://doi.org/10.1109/72.279181",
        ),
        Paper(
            "Hochreiter & Schmidhuber",
            1997,
            "Long Short-Term Memory",
            "https://doi.org/10.1162/neco.1997.9.8.1735",
        ),
    ),
    budgets={
        "smoke": Budget("Two lags, two rates.", ("gradient", "lag", "stability", "cost"), 1),
        "modern": Budget(
            "The adding problem over 20 to 400 steps; six learning rates over 30.",
            ("gradient", "lag", "stability", "cost"),
            3,
        ),
    },
    run=run,
    summary=summary,
    criteria=criteria,
    draw=draw,
    reading=(
        "The rows of the textbooks' comparison, each with what was measured. Both networks have "
        "the same units, updates and clipped Adam; the LSTM starts with chrono biases. A run "
        f"solves the adding problem where its mean error on 256 new sequences is below {ERROR}; a "
        "lag counts as solved where one of two learning rates does it."
    ),
    deviations=("The table is in no one paper; the tasks and criteria are ours.",),
)
