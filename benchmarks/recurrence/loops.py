"""Cells that torch lacks, beside the best loops that a user can write for them today."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import nn

import gatewise

from . import user_loops
from .cells import MODE, reference, settled
from .contest import OURS, contest
from .models import Answer, Loss, Model, Training, losses, of_layer
from .part import Part
from .settings import Settings, all_threads
from .shapes import Shape
from .variants import RATE, Variant, present

EAGER, SCRIPT, COMPILED, TORCH_GRU = "eager loop", "TorchScript", "torch.compile", "torch.nn.GRU"
LOOPS = (EAGER, SCRIPT, COMPILED)

SETTLING = 3
"""Calls that TorchScript spends on watching and rewriting its program."""

REGULARISED = {"zoneout": user_loops.zoneout_loop, "recurrent_dropout": user_loops.dropout_loop}
"""Loops that draw masks."""


def measure(settings: Settings) -> Part:
    part = Part()
    variants, left_out = present()
    part.notes += [f"loops: {sentence}" for sentence in left_out]
    if not settings.compile:
        part.notes.append("loops: torch.compile of the step takes part with --compile only.")
    for shape in settings.cells:
        for name, variant in variants.items():
            part.rows += _one_cell(name, variant, shape, settings)
    part.figures |= _figures(part.rows)
    return part


def _one_cell(
    name: str, variant: Variant, shape: Shape, settings: Settings
) -> list[dict[str, object]]:
    torch.manual_seed(0)
    x = torch.randn(shape.batch, shape.time, shape.input)
    loss = losses(shape.batch, shape.time, shape.hidden)[MODE]
    layer = variant.layer(shape.input, shape.hidden)
    if name == "gru":
        theirs = nn.GRU(shape.input, shape.hidden, batch_first=True)
        theirs.load_state_dict(layer.state_dict())
    loops = _loops(name, settings)
    peers = {kind: _model(loop, layer, RATE) for kind, loop in loops.items()}
    without = {kind: _model(loop, layer, 0.0) for kind, loop in loops.items()}
    with all_threads(settings):
        expected = reference(layer, x, loss)
        if variant.is_random:
            expected |= _named_without(reference(_without_masks(layer), x, loss))
    if name == "gru":
        peers[TORCH_GRU] = of_layer(theirs)

    rows = []
    for threads in settings.each_thread_count():
        ours = Checked(layer, x, loss)
        trials = {OURS: ours, **{kind: Training(m, x, loss) for kind, m in peers.items()}}
        if variant.is_random:
            trials |= {kind: Masked(peers[kind], without[kind], x, loss) for kind in loops}
        for _ in range(SETTLING):
            trials[SCRIPT]()
        case = {"part": "loops", "case": str(shape), "mode": MODE, "threads": threads, "cell": name}
        found, _ = contest(case, trials, expected, settings.budget)
        rows += found
    return rows


class Checked(Training):
    """Ours: what is compared leaves nothing to chance."""

    def __init__(self, layer: nn.Module, x: torch.Tensor, loss: Loss) -> None:
        super().__init__(of_layer(layer), x, loss)
        self.layer = layer

    def answer(self) -> Answer:
        """Give what is compared."""
        return settled(self.layer, super().answer)


class Masked(Training):
    """A loop that draws masks: what is compared is the same loop at a rate of zero."""

    def __init__(self, model: Model, without: Model, x: torch.Tensor, loss: Loss) -> None:
        super().__init__(model, x, loss)
        self.without = Training(without, x, loss)

    def answer(self) -> Answer:
        """Give what is compared."""
        return _named_without(self.without.answer())


def _named_without(answer: Answer) -> Answer:
    return {f"{name} without masks": tensor for name, tensor in answer.items()}


def _without_masks(layer: gatewise.nn.Recurrent) -> gatewise.nn.Recurrent:
    """A layer of the same weights that draws no masks."""
    plain = gatewise.nn.Recurrent(layer.cell, layer.input_size, layer.hidden_size)
    plain.load_state_dict(layer.state_dict())
    return plain


def _loops(name: str, settings: Settings) -> dict[str, user_loops.Loop]:
    """The same loop in each of the ways to run it."""
    step = user_loops.STEPS.get(name, user_loops.lstm)

    made = REGULARISED.get(name, user_loops.plain_loop)
    loops = {EAGER: made(step)}
    with warnings.catch_warnings():
        # Deprecated, and still among the best that there is.
        warnings.simplefilter("ignore", DeprecationWarning)
        loops[SCRIPT] = torch.jit.script(made(torch.jit.script(step)))
    if settings.compile:
        torch._dynamo.reset()
        loops[COMPILED] = made(torch.compile(step, dynamic=False))
    return loops


def _model(loop: user_loops.Loop, layer: gatewise.nn.Recurrent, rate: float) -> Model:
    """A loop with a copy of our layer's weights."""
    parameters = {n: p.detach().clone().requires_grad_() for n, p in layer.named_parameters()}
    first = [f"{name}_l0" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    ordered = [*first, *(name for name in parameters if name not in first)]
    weights = [parameters[name] for name in ordered]
    two_biases = layer.cell.name in user_loops.TWO_BIASES
    zeros = (0.0,) * len(layer.cell.states)
    starts, hidden = user_loops.STARTS.get(layer.cell.name, zeros), layer.hidden_size

    def run(x: torch.Tensor) -> torch.Tensor:
        bias = weights[2] if two_biases else weights[2] + weights[3]
        state = [x.new_full((x.shape[0], hidden), value) for value in starts]
        return loop(x, weights, bias, state, rate)

    return Model(run, parameters)


def _figures(rows: list[dict]) -> dict[str, float]:
    """The fastest loop's time over ours: least over shapes and threads, of each cell and of all."""

    def least(keep: Callable[[dict], bool]) -> float | None:
        return min((row["ratio"] for row in rows if keep(row)), default=None)

    figures = {
        f"user_loop_ratio_{cell}": least(lambda r, c=cell: r["cell"] == c and r["peer"] in LOOPS)
        for cell in dict.fromkeys(row["cell"] for row in rows)
    }
    if figures:
        figures["user_loop_ratio_worst"] = min(figures.values())
    gru = least(lambda row: row["peer"] == TORCH_GRU)
    return figures | ({} if gru is None else {"torch_gru_ratio": gru})
