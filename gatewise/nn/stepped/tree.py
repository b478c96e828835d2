"""The LSTM on trees."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ... import cells
from ...connectivity.start import orthogonal
from ...errors import InputError
from ..arguments import check_sizes
from ..initialization.start import initialize
from ..inputs import check_type
from ..state import State, state_type
from ..weights import register
from .forest import Forest


class TreeLSTM(nn.Module):
    """LSTM from the leaves of trees to their roots, child-sum or N-ary.

    Each node has a memory; it forgets those of its children one by one, each with a gate of its
    own (Tai, Socher & Manning 2015, https://arxiv.org/abs/1503.00075). Child-sum, equations 2 to
    8, is for any number of children without order: gates see the sum of their outputs, and a
    child's forget gate sees that child. N-ary, equations 9 to 14, is for up to N children in
    order: all gates see all children, with matrices of their own for each slot. A tree in which
    each node has one child is an LSTM.

    All nodes of one depth, of all trees, are computed at once. Weights are in torch's order of
    gates, i, f, g, o, and start as `Recurrent`'s; N-ary, the rows of `weight_hh` are
    i, f of each slot, g, o, and its columns the slots.

    Args:
        input_size: Features of each node.
        hidden_size: Units of each node.
        arity: Slots for children, N; nothing for child-sum.
        bias: Whether the gates have biases.
        device: Device of the weights.
        dtype: Type of the weights.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> from gatewise.nn import Forest
        >>> forest = Forest([2, 2, -1, 4, -1])
        >>> state = TreeLSTM(3, 8)(torch.randn(5, 3), forest)
        >>> state.c.shape, state.h[forest.roots].shape
        (torch.Size([5, 8]), torch.Size([2, 8]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        arity: int | None = None,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        sizes = {"input_size": input_size, "hidden_size": hidden_size}
        check_sizes(sizes if arity is None else sizes | {"arity": arity}, 0.0)
        self.input_size, self.hidden_size, self.arity = input_size, hidden_size, arity
        slots = arity or 1
        shapes = {"weight_ih": (4 * hidden_size, input_size),
                  "weight_hh": ((3 + slots) * hidden_size, slots * hidden_size)}  # fmt: skip
        shapes |= {"bias": (4 * hidden_size,)} if bias else {}
        register(self, shapes, "{}", device, dtype)
        if not bias:
            self.register_parameter("bias", None)
        self.weight_ih: nn.Parameter
        self.weight_hh: nn.Parameter
        self.bias: nn.Parameter | None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        with torch.no_grad():
            start = {"weight_ih": self.weight_ih}
            if self.bias is not None:
                start["bias_ih"] = self.bias
            initialize(cells.lstm, start, self.hidden_size)
            for block in self.weight_hh.split(self.hidden_size):
                orthogonal(block)

    def forward(self, x: Tensor, forest: Forest) -> State:
        """Run over trees.

        Args:
            x: Input, [nodes, input]; zeros for a node without features.
            forest: The trees; its tensors follow `x` to its device.

        Returns:
            The state of each node, `state.h` and `state.c`, [nodes, hidden].

        Raises:
            InputError: Shape or type of an argument is not as above, or a node has more children
                than the layer has slots.
        """
        self._check(x, forest)
        forest = forest.to(x.device)
        gates = F.linear(x, self.weight_ih, self.bias)
        h = c = gates.new_zeros(0, self.hidden_size)
        hs, cs = [h], [c]
        levels = gates.index_select(0, forest.order).split(forest.counts) if forest.counts else ()
        run = self._child_sum if self.arity is None else self._n_ary
        for own, (parent, slot) in zip(levels, forest.links, strict=True):
            h, c = run(own, h, c, parent, slot)
            hs.append(h)
            cs.append(c)
        h, c = (torch.cat(parts).index_select(0, forest.back) for parts in (hs, cs))
        return state_type(("h", "c"))(h, c)

    def extra_repr(self) -> str:
        """The arguments that are not the defaults."""
        given = [str(self.input_size), str(self.hidden_size)]
        given += [] if self.arity is None else [f"arity={self.arity}"]
        given += [] if self.bias is not None else ["bias=False"]
        return ", ".join(given)

    def _child_sum(
        self, own: Tensor, h: Tensor, c: Tensor, parent: Tensor, slot: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One depth: its gates' half from the input, and the states of its children."""
        nodes = own.shape[0]
        of_i, of_f, of_g, of_o = self.weight_hh.chunk(4)
        i, f, g, o = own.chunk(4, -1)
        from_sum = F.linear(_summed(h, parent, nodes), torch.cat([of_i, of_g, of_o]))
        sum_i, sum_g, sum_o = from_sum.chunk(3, -1)
        forget = torch.sigmoid(f.index_select(0, parent) + F.linear(h, of_f))
        c = torch.sigmoid(i + sum_i) * torch.tanh(g + sum_g) + _summed(forget * c, parent, nodes)
        return torch.sigmoid(o + sum_o) * torch.tanh(c), c

    def _n_ary(
        self, own: Tensor, h: Tensor, c: Tensor, parent: Tensor, slot: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As `_child_sum`, with a place for each slot."""
        slots, hidden = self.arity or 1, self.hidden_size
        at = parent * slots + slot
        h, c = (
            part.new_zeros(own.shape[0] * slots, hidden).index_copy(0, at, part) for part in (h, c)
        )
        from_children = F.linear(h.reshape(-1, slots * hidden), self.weight_hh)
        of_i, of_f, of_g, of_o = from_children.split(
            [hidden, slots * hidden, hidden, hidden], dim=-1
        )
        i, f, g, o = own.chunk(4, -1)
        forget = torch.sigmoid(f.unsqueeze(1) + of_f.unflatten(-1, (slots, hidden)))
        kept = (forget * c.reshape(-1, slots, hidden)).sum(1)
        c = torch.sigmoid(i + of_i) * torch.tanh(g + of_g) + kept
        return torch.sigmoid(o + of_o) * torch.tanh(c), c

    def _check(self, x: Tensor, forest: Forest) -> None:
        if not isinstance(forest, Forest):
            raise InputError(
                f"forest of type {type(forest).__name__}: give gatewise.nn.Forest(parents)"
            )
        if x.shape != (len(forest), self.input_size):
            raise InputError(
                f"x of shape {tuple(x.shape)}: give [nodes, input], here "
                f"{(len(forest), self.input_size)}"
            )
        check_type(x, self.weight_ih)
        if self.arity is not None and forest.arity > self.arity:
            raise InputError(
                f"arity={self.arity}: a node of the forest has {forest.arity} slots for children; "
                f"build the layer with arity={forest.arity}, or without for child-sum"
            )


def _summed(values: Tensor, parent: Tensor, nodes: int) -> Tensor:
    """Sum over each node's children."""
    return values.new_zeros(nodes, values.shape[1]).index_add(0, parent, values)
