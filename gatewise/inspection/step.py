"""The arithmetic of one step for one unit: what each gate was, and of what it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..compiler import quiet
from ..engines import step
from ..errors import InputError, nearest
from ..nn import Recurrent
from .arithmetic import Term, Values


@dataclass(frozen=True)
class StepExplanation:
    """The arithmetic of one step for one unit, line by line; `print` shows it.

    Attributes:
        cell: Name of the cell.
        depth: Which layer of the stack, from 0.
        unit: Which unit of that layer.
        terms: The lines, each after those it needs.

    Example:
        >>> StepExplanation("lstm", 0, 3, (Term("f", "sigmoid(net_f)", "sigmoid(0.0)", 0.5),))["f"]
        0.5
    """

    cell: str
    depth: int
    unit: int
    terms: tuple[Term, ...]

    def __getitem__(self, name: str) -> float:
        """The value of a line, by its name."""
        for term in self.terms:
            if term.name == name:
                return term.value
        raise InputError(
            f"this step of {self.cell} has no value {name!r}: "
            f"{nearest(name, [term.name for term in self.terms])}"
        )

    def __str__(self) -> str:
        head = f"{self.cell}, layer {self.depth}, unit {self.unit}"
        return "\n".join([head, *(f"  {term}" for term in self.terms)])


def explain_step(
    layer: Recurrent, x: Tensor, state: Any = None, unit: int = 0, *, depth: int = 0
) -> StepExplanation:
    """Show what one unit forgets, takes in and gives out in one step, number by number.

    The lines are the cell's own equations with the names that they give to values, so a cell of
    yours is explained as well as an lstm. After Olah, Understanding LSTM Networks, 2015
    (https://colah.github.io/posts/2015-08-Understanding-LSTMs/), who walks through one step gate
    by gate. Noise of a layer in training has its value of evaluation.

    Args:
        layer: In one direction.
        x: Input of the step, [input].
        state: State before the step, as `Recurrent.step` takes it without a batch; None at the
            start.
        unit: Unit of the layer, from 0 to hidden_size - 1.
        depth: Layer of the stack, from 0.

    Returns:
        The lines; index it with a name for a value.

    Raises:
        InputError: An argument is not as above.

    Example:
        >>> import torch
        >>> layer = Recurrent("elman", 2, 3)
        >>> for weight in layer.parameters():
        ...     _ = torch.nn.init.constant_(weight, 0.25)
        >>> print(explain_step(layer, torch.tensor([1.0, 2.0]), torch.ones(1, 3)))
        elman, layer 0, unit 0
          net_a = input + recurrent + bias = 0.750 + 0.750 + 0.500 = 2.000
          h = tanh(net_a) = tanh(2.000) = 0.964
    """
    _check(layer, x, unit, depth)
    cell = quiet(layer.call(x[None, None]).cell)
    x = x.detach()
    parts = [part.detach().unbind(0) for part in layer._initial(state, x[None], False)]
    layers = list(zip(layer._expanded(), zip(*parts, strict=True), strict=True))
    *below, ((weights,), before) = layers[: depth + 1]
    for (own,), start in below:
        x = step(cell, layer.connectivity.expanded, x[None], own, start)[0][0].detach()
    values = Values(cell, weights, x, dict(zip(cell.states, before, strict=True)))
    return StepExplanation(cell.name, depth, unit, values.terms(unit))


def _check(layer: Recurrent, x: Tensor, unit: int, depth: int) -> None:
    if not isinstance(layer, Recurrent):
        raise InputError(
            f"layer is a {type(layer).__name__}: give a gatewise.nn.Recurrent, into which the "
            "state_dict of an LSTM or GRU loads"
        )
    if layer.bidirectional:
        raise InputError(
            "bidirectional=True: a step cannot see the future; build the layer with "
            "bidirectional=False to explain a step"
        )
    if x.dim() != 1:
        raise InputError(
            f"x of shape {tuple(x.shape)}: give the input of one step of one sequence, "
            f"[{layer.input_size}]"
        )
    for name, value, count in (
        ("unit", unit, layer.hidden_size),
        ("depth", depth, layer.num_layers),
    ):
        if type(value) is not int or not 0 <= value < count:
            raise InputError(f"{name}={value!r}: give a whole number from 0 to {count - 1}")
