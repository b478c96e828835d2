"""What layers are called with: refused, with a sentence, where it does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..errors import InputError


def check_type(x: Tensor, weight: Tensor, name: str = "x") -> None:
    """Refuse an input of another type than the weights, except under autocast.

    Args:
        x: The input.
        weight: One of the weights.
        name: The argument's name.

    Raises:
        InputError: The types differ.
    """
    if x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
        raise InputError(
            f"{name} of type {x.dtype} and weights of type {weight.dtype}: write "
            f"{name}.to({weight.dtype}), or layer.to({x.dtype})"
        )


def check_input(name: str, x: Tensor, axes: str, size: int, own: Tensor | None = None) -> None:
    """Refuse a tensor of other axes, of another number of features or of another type.

    Args:
        name: The argument's name.
        x: The tensor.
        axes: Its axes as they are told to the user, such as `"[batch, time, input]"`.
        size: Features of its last axis.
        own: A tensor of the type that it must have, except under autocast; nothing where what it
            is given to looks.

    Raises:
        InputError: It is not as above.
    """
    _refuse_packed(name, x)
    if x.dim() != axes.count(",") + 1 or x.shape[-1] != size:
        raise InputError(f"{name} of shape {tuple(x.shape)}: give {axes} with {size} features")
    if own is not None:
        check_type(x, own, name)


def _refuse_packed(name: str, x: Any) -> None:
    if isinstance(x, PackedSequence):
        raise InputError(
            f"{name} is packed: give {name} and lengths as pad_packed_sequence({name}, "
            "batch_first=True) makes them; only Recurrent, Stacked, LSTM and GRU take packed input"
        )


def check_one_way(bidirectional: bool) -> None:
    """Refuse to go step by step where a direction reads from the end.

    Raises:
        InputError: The layer is bidirectional.
    """
    if bidirectional:
        raise InputError(
            "bidirectional=True: a step cannot see the future; build the layer with "
            "bidirectional=False to stream"
        )


def with_batch(
    x: Tensor, weight: Tensor, axes: str = "[batch, time, input]"
) -> tuple[Tensor, bool]:
    """Give an input with its batch, and whether it came with one.

    Args:
        x: Input, with these axes or without the first.
        weight: What first multiplies it, [rows, input].
        axes: Its axes as they are told to the user.

    Raises:
        InputError: Shape or type of the input is not as above.
    """
    dims = axes.count(",") + 1
    _refuse_packed("x", x)
    if x.dim() not in (dims, dims - 1) or x.shape[-1] != weight.shape[1]:
        raise InputError(
            f"x of shape {tuple(x.shape)}: give {axes} with {weight.shape[1]} features, with or "
            "without the batch"
        )
    check_type(x, weight)
    return (x, True) if x.dim() == dims else (x.unsqueeze(0), False)


def as_sequence(x: Tensor) -> Tensor:
    """Give one step, [batch, input] or [input], as a sequence of one.

    Raises:
        InputError: It has another number of axes.
    """
    if x.dim() not in (1, 2):
        raise InputError(
            f"x of shape {tuple(x.shape)}: give one step, [batch, input], with or without the batch"
        )
    return x.unsqueeze(-2)


def checked_state(
    state: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]], batched: bool
) -> tuple[Tensor, ...]:
    """Give the parts of a state in order and with their batch.

    Args:
        state: A tensor for a single state, a mapping by name, or a sequence in order; its parts
            are without the axis of the batch where the input came without one.
        names: Names of the states.
        shapes: Shape of each part with its batch, [rows, batch, ...].
        batched: Whether the input came with a batch.

    Raises:
        InputError: A part is missing or of another shape.
    """
    if isinstance(state, Tensor):
        state = (state,)
    parts: list[Any] = [state.get(n) for n in names] if isinstance(state, Mapping) else [*state]
    wanted = [*shapes] if batched else [(shape[0], *shape[2:]) for shape in shapes]
    found = [tuple(part.shape) if isinstance(part, Tensor) else None for part in parts]
    if found != wanted:
        raise InputError(
            f"state of shapes {found}: give {', '.join(names)} of shapes {wanted}, by name or in "
            "this order"
        )
    return tuple(part if batched else part.unsqueeze(1) for part in parts)


def layer_starts(
    state: Any,
    names: Sequence[str],
    num_layers: int,
    x: Tensor,
    batched: bool,
    units: tuple[int, ...],
) -> list[tuple[Tensor, ...]]:
    """Where each layer starts, by layer and state, [batch, *units].

    Args:
        state: Nothing for zeros; else a tensor for a single state, a mapping by name, or a sequence
            in order, each part [num_layers, batch, *units], without batch where `x` had none.
        names: Names of the states.
        num_layers: Layers.
        x: Input with its batch, [batch, ...].
        batched: Whether it came with one.
        units: Shape of a state of one sequence.

    Raises:
        InputError: A part is missing or of another shape.

    Example:
        >>> h, c = torch.zeros(1, 3), torch.ones(1, 3)
        >>> [(h, c)] = layer_starts({"c": c, "h": h}, ("h", "c"), 1, torch.zeros(1, 5), False, (3,))
        >>> c.tolist()
        [[1.0, 1.0, 1.0]]
    """
    if state is None:
        return [(x.new_zeros(x.shape[0], *units),) * len(names)] * num_layers
    shapes = [(num_layers, x.shape[0], *units)] * len(names)
    given = checked_state(state, names, shapes, batched)
    return [*zip(*(part.unbind(0) for part in given), strict=True)]
