"""Olah 2015: Understanding LSTM Networks, with its walk through one step made executable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from gatewise.inspection import explain_step
from gatewise.nn import Recurrent

from . import chart, modern
from .experiment import Budget, Experiment, Paper, Row, Rows, Setting, seeded, where
from .modern import Recipe
from .networks.reader import Reader
from .statistics import median
from .tasks.agreement import Agreement, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECIPES = {
    "smoke": (Agreement(8), Recipe(hidden=4, rate=2e-2, updates=300)),
    "modern": (Agreement(20), Recipe(hidden=2, rate=2e-2, updates=5000)),
}


def run(setting: Setting) -> list[Row]:
    """Learn agreement, then look at the unit that remembers the number."""
    task, recipe = RECIPES[setting.budget]
    rows: list[Row] = []
    for seed in setting.seeds:
        with seeded(seed) as rng:
            network = modern.train("lstm", task, recipe, rng).network
            found = _looked_at(network, task, rng)
        rows.append({"part": "agreement", "seed": seed, **found})
    return rows


def _looked_at(network: Reader, task: Agreement, rng: np.random.Generator) -> Row:
    batch = task.draw(rng, 2000)
    right = batch.errors(network.answers(batch)) < task.tolerance
    x = torch.from_numpy(batch.x).float()
    f, c = _gates(network.layer, x)
    last = x.shape[1] - 2 - task.distractors
    number = batch.target[:, 1] * 2 - 1
    unit = _remembering(c[:, -2].numpy(), number)
    replaced = task.replaced(batch.x)
    sentence = int(np.flatnonzero(replaced)[0])
    state = network.layer(x[sentence, :last])[1]
    return {
        "accuracy": float(right.mean()),
        "unit": unit,
        "correlation": _correlation(c[:, -2, unit].numpy(), number),
        "f_new": float(f[torch.from_numpy(replaced), last, unit].mean()),
        "f_else": float(f[:, last + 1 : -1, unit].mean()),
        "words": words(batch.x[sentence]),
        "f": f[sentence, :, unit].tolist(),
        "c": c[sentence, :, unit].tolist(),
        "explained": str(explain_step(network.layer, x[sentence, last], state, unit)),
    }


def _gates(layer: Recurrent, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Forget gate and memory of every unit at every step, [batch, time, unit]."""
    fs, cs, state = [], [], None
    with torch.no_grad():
        for now in x.unbind(1):
            h = now.new_zeros(len(now), layer.hidden_size) if state is None else state.h[0]
            net = now @ layer.weight_ih_l0.T + h @ layer.weight_hh_l0.T
            rows = (net + layer.bias_ih_l0 + layer.bias_hh_l0).chunk(4, -1)
            fs.append(torch.sigmoid(rows[layer.cell.input_rows.index("f")]))
            state = layer.step(now, state)[1]
            cs.append(state.c[0])
    return torch.stack(fs, 1), torch.stack(cs, 1)


def _remembering(c: np.ndarray, number: np.ndarray) -> int:
    """The unit whose memory goes most with the number, shortly before the verb."""
    found = [abs(_correlation(values, number)) for values in c.T]
    return int(np.argmax(found))


def _correlation(values: np.ndarray, number: np.ndarray) -> float:
    return float(np.corrcoef(values, number)[0, 1]) if values.std() > 0 else 0.0


def summary(rows: Rows) -> list[Row]:
    """A line a run."""
    names = {"seed": "seed", "accuracy": "accuracy", "unit": "unit that remembers",
             "correlation": "its c with the number", "f_new": "its f at the new subject",
             "f_else": "its f at other words"}  # fmt: skip
    return [{shown: row[name] for name, shown in names.items()} for row in rows]


def criteria(rows: Rows) -> list[tuple[str, bool]]:
    """What the text claims of a network that has learned."""
    worst = min(cast(float, row["accuracy"]) for row in rows)
    new = median([cast(float, row["f_new"]) for row in rows]) or 0.0
    other = median([cast(float, row["f_else"]) for row in rows]) or 0.0
    found = [
        (f"every run has the verb right in more than 99 % ({worst:.2%})", worst > 0.99),
        (
            "the unit that remembers forgets more at a new subject than at other words (median f "
            f"{new:.2f} against {other:.2f})",
            new < other,
        ),
    ]
    if len(rows) > 1:
        found.append((f"its f at a new subject is below 0.2 (median {new:.3f})", new < 0.2))
    return found


def draw(rows: Rows) -> Figure | None:
    """One sentence, word by word: the forget gate and the memory of the unit that remembers."""
    row = cast(Any, rows[0])
    figure, (axes,) = chart.canvas(7.6, 3.0)
    places = range(len(row["words"]))
    chart.lines(
        axes, {"forget gate f": (places, row["f"]), "memory c": (places, row["c"])}, mark="o"
    )
    axes.set_xticks(places, row["words"], rotation=70)
    axes.tick_params(axis="x", labelsize=7.5)
    return figure


def listing(rows: Rows) -> str:
    """The arithmetic at the new subject of the figure's sentence."""
    return str(where(rows, part="agreement")[0]["explained"])


EXPERIMENT = Experiment(
    name="olah2015",
    title="Does an LSTM forget the old subject when it sees a new one?",
    papers=(
        Paper(
            "Olah",
            2015,
            "Understanding LSTM Networks",
            "https://colah.github.io/posts/2015-08-Understanding-LSTMs/",
        ),
    ),
    budgets={
        "smoke": Budget("8 words in between.", ("agreement",), 1),
        "modern": Budget("20 words between the subject and the verb.", ("agreement",), 5),
    },
    run=run,
    summary=summary,
    criteria=criteria,
    draw=draw,
    listing=listing,
    reading=(
        "The text walks through one step of an LSTM that has to remember the subject's gender, and "
        "says that the forget gate closes at a new subject. Here the number of the last of many "
        "subjects is wanted many words later. The unit that remembers is the one whose memory goes "
        "most with the number shortly before the verb. A network can also overwrite, by adding "
        "more than is there, so the gate does not have to close all the way. "
        "`gatewise.inspection.explain_step` prints the unit's arithmetic at the last subject of "
        "the figure's sentence."
    ),
    deviations=("The text has no experiment: task, network and bounds are ours.",),
)
