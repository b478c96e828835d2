"""A cell's step with its products left to the layer: a convolution, or a modulated state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ...compiler import Cell
from ...engines.call import NO_NOISE
from ...engines.reference import program

Product = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]
"""What stands for `value @ weight.T + bias`; the rows of the weight become the last axis."""


class Pointwise:
    """A cell bound to its weights: any product, and the cell's equations around it.

    Where `engines.step` multiplies matrices, this calls `product`. Units are the last axis of all
    tensors, and what stands before it is up to the layer: [batch, units], or
    [batch, *space, channels].

    Args:
        cell: The equations.
        weights: By name: `weight_hh` and `bias_hh` with one block of rows for each of
            `cell.state_rows`, and the cell's own weights, which broadcast against the units.
        product: Called with a value, the rows that multiply it and their bias.

    Example:
        >>> import torch.nn.functional as F
        >>> from gatewise.cells import elman
        >>> one = Pointwise(elman, {"weight_hh": torch.zeros(2, 2)}, F.linear)
        >>> (h,) = one(torch.zeros(1, 2), (torch.ones(1, 2),))
        >>> h.tolist()
        [[0.0, 0.0]]
    """

    def __init__(self, cell: Cell, weights: Mapping[str, Tensor], product: Product) -> None:
        self._program = program(cell)
        self._product = product
        self._vectors = {name: weights[name] for name in cell.weights}
        self._rows = {
            group: (
                _chosen(cell.state_rows, group, weights["weight_hh"]),
                _chosen(cell.state_rows, group, weights["bias_hh"])
                if "bias_hh" in weights
                else None,
            )
            for group in self._program.groups
        }

    def __call__(
        self,
        from_input: Tensor,
        state: tuple[Tensor, ...],
        noise: Mapping[str, Tensor] = NO_NOISE,
        seen: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Run one time step.

        Args:
            from_input: The input's half of all gates, [..., rows of `cell.input_rows`].
            state: One tensor for each of the cell's states, [..., units].
            noise: What the cell's noise is at this step, by name.
            seen: What the recurrent weights multiply in the place of the last output.

        Returns:
            The new state; its first part is the output.
        """
        cell = self._program
        table = dict(zip(cell.states, state, strict=True)) | self._vectors
        table.update(noise)
        table |= self._gates(from_input, state[0] if seen is None else seen)
        for stage, function, products in zip(
            cell.stages, cell.functions, cell.products, strict=True
        ):
            found = function(*[table[name] for name in stage.reads])
            table.update(zip(stage.names, found, strict=True))
            for group, value in products:
                table |= _blocks(group, self._product(table[value], *self._rows[group]))
        return tuple(table[name] for name in cell.states)

    def _gates(self, from_input: Tensor, h: Tensor) -> dict[str, Tensor]:
        """Cut the gates apart, with both halves of those that have two."""
        given, group = self._program.from_input, self._program.from_state
        if not group:
            return _blocks(given, from_input)
        from_state = self._product(h, *self._rows[group])
        if given == group:
            return _blocks(given, from_input + from_state)
        gates = _blocks(given, from_input)
        for name, block in _blocks(group, from_state).items():
            gates[name] = gates[name] + block if name in gates else block
        return gates


def _chosen(names: tuple[str, ...], group: tuple[str, ...], rows: Tensor) -> Tensor:
    """Take some of the blocks that rows consist of, in the group's order."""
    if group == names:
        return rows
    blocks = _blocks(names, rows, 0)
    return torch.cat([blocks[name] for name in group])


def _blocks(names: tuple[str, ...], rows: Tensor, dim: int = -1) -> dict[str, Tensor]:
    """Cut rows into one block for each name."""
    return dict(zip(names, rows.chunk(len(names), dim), strict=True))
