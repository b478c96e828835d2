"""Packed sequences, torch's, through layers that take lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from ..errors import InputError


def check_packed(lengths: Any, given: Any = None) -> None:
    """Refuse what packed sequences say themselves, and what is not packed along with them.

    Raises:
        InputError: There are lengths, or inputs beside the packed one.
    """
    if lengths is not None:
        raise InputError("lengths are given and x is packed: give one of the two")
    if given:
        raise InputError(
            f"given={[*given]} beside a packed x: pad x by pad_packed_sequence and give lengths"
        )


def through(
    layer: Callable[..., tuple[Any, Any]], packed: PackedSequence, state: Any
) -> tuple[Any, Any]:
    """Run a layer on packed sequences, and pack what it gives as they were.

    Args:
        layer: Takes [batch, time, input], a state and `lengths`, each in the order in which the
            sequences were before they were packed.
        packed: As `torch.nn.utils.rnn` packs.
        state: Of each sequence, in that order.

    Returns:
        Outputs, packed (or a tuple of them), and the state.

    Example:
        >>> import torch
        >>> from torch.nn.utils.rnn import pack_sequence
        >>> from gatewise.nn import Recurrent
        >>> x = pack_sequence([torch.randn(2, 3), torch.randn(5, 3)], enforce_sorted=False)
        >>> y, state = through(Recurrent("gru", 3, 8), x, None)
        >>> y.data.shape, y.batch_sizes.tolist()
        (torch.Size([7, 8]), [2, 2, 1, 1, 1])
    """
    x, lengths = pad_packed_sequence(packed, batch_first=True)
    outputs, last = layer(x, state, lengths=lengths.to(x.device))
    order = packed.sorted_indices

    def again(y: Tensor) -> PackedSequence:
        y, count = (y, lengths) if order is None else (y[order], lengths[order.cpu()])
        data = pack_padded_sequence(y, count, batch_first=True).data
        return PackedSequence(data, packed.batch_sizes, order, packed.unsorted_indices)

    return (tuple(map(again, outputs)) if isinstance(outputs, tuple) else again(outputs)), last
