"""Trees side by side as tensors, in the order in which to compute them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor

from ...errors import InputError


class Forest:
    """The shape of one or more trees: who is whose child, computed once.

    Nodes keep the numbers that they were given. A layer goes from the deepest nodes up, all nodes
    of one depth at once: the children of a depth are then exactly the depth below it.

    Args:
        parents: The parent of each node, [nodes], -1 for a root; a tensor or a list.
        slots: Which child of its parent each node is, [nodes], counted from 0; gaps are missing
            children. Without it, siblings stand in the order of their numbers.

    Attributes:
        parents: As given, a tensor.
        slots: As given or found; 0 for roots.
        roots: Numbers of the roots, in order.
        arity: Slots of the node that has most; 0 without any child.
        counts: Nodes of each depth, the deepest first.
        order: Numbers of the nodes, the deepest first, [nodes].
        back: Where in `order` each node stands, [nodes].
        links: For each depth its children, the nodes of the depth below it: where their parents
            stand in this depth, and their slots. The first has none.

    Raises:
        InputError: A parent is no node, a node is its own ancestor, or two siblings share a slot.

    Example:
        >>> forest = Forest([2, 2, -1, 4, -1])
        >>> forest, forest.roots.tolist(), forest.counts
        (Forest(nodes=5, trees=2, depth=2), [2, 4], [3, 2])
    """

    def __init__(
        self, parents: Tensor | Sequence[int], slots: Tensor | Sequence[int] | None = None
    ) -> None:
        self.parents = _numbers("parents", parents)
        nodes = len(self.parents)
        if nodes and (self.parents.min() < -1 or self.parents.max() >= nodes):
            raise InputError(
                f"parents run from {int(self.parents.min())} to {int(self.parents.max())}: give "
                f"for each of the {nodes} nodes another one's number, from 0 to {nodes - 1}, or -1 "
                "for a root"
            )
        is_root = self.parents < 0
        self.roots = is_root.nonzero().squeeze(1)
        if slots is None:
            self.slots = _ranks(self.parents).masked_fill(is_root, 0)
        else:
            self.slots = _checked_slots(slots, self.parents)
        children = self.slots[~is_root]
        self.arity = int(children.max()) + 1 if len(children) else 0
        depths = _depths(self.parents)
        self.order = depths.argsort(descending=True, stable=True)
        self.back = _inverse(self.order)
        self.counts: list[int] = depths.bincount().flip(0).tolist()
        self.links = self._links()

    @staticmethod
    def of_children(children: Sequence[Sequence[int]]) -> Forest:
        """Make a forest of each node's list of children, in their order.

        Raises:
            InputError: A child is no node, or has two parents.

        Example:
            >>> Forest.of_children([[2, 1], [], []]).slots.tolist()
            [0, 1, 0]
        """
        counts = torch.tensor([len(own) for own in children], dtype=torch.int64)
        flat = _numbers("children", [*chain.from_iterable(children)])
        nodes = len(counts)
        if len(flat) and (flat.min() < 0 or flat.max() >= nodes):
            raise InputError(
                f"children run from {int(flat.min())} to {int(flat.max())}: give numbers of the "
                f"{nodes} nodes, from 0 to {nodes - 1}"
            )
        uses = flat.bincount(minlength=nodes)
        if (uses > 1).any():
            raise InputError(f"node {int(uses.argmax())} is a child of two nodes: a tree has one "
                             "parent for each node")  # fmt: skip
        parents = torch.full((nodes,), -1)
        parents[flat] = torch.arange(nodes).repeat_interleave(counts)
        slots = torch.zeros(nodes, dtype=torch.int64)
        before = (counts.cumsum(0) - counts).repeat_interleave(counts)
        slots[flat] = torch.arange(len(flat)) - before
        return Forest(parents, slots)

    @staticmethod
    def joined(forests: Sequence[Forest]) -> Forest:
        """Put forests side by side, to run them in one batch; nodes follow each other.

        Example:
            >>> Forest.joined([Forest([-1]), Forest([1, -1])]).parents.tolist()
            [-1, 2, -1]
        """
        parents, first = [torch.empty(0, dtype=torch.int64)], 0
        for forest in forests:
            own = forest.parents.cpu()
            parents.append(torch.where(own < 0, own, own + first))
            first += len(own)
        slots = [forest.slots.cpu() for forest in forests]
        return Forest(torch.cat(parents), torch.cat([parents[0], *slots]))

    def to(self, device: torch.device | str) -> Forest:
        """The same forest with its tensors on a device."""
        if self.parents.device == torch.device(device):
            return self
        moved = copy.copy(self)
        for name in ("parents", "slots", "roots", "order", "back"):
            setattr(moved, name, getattr(self, name).to(device))
        moved.links = [(above.to(device), slots.to(device)) for above, slots in self.links]
        return moved

    def __len__(self) -> int:
        """Number of nodes."""
        return len(self.parents)

    def __repr__(self) -> str:
        return f"Forest(nodes={len(self)}, trees={len(self.roots)}, depth={len(self.counts)})"

    def _links(self) -> list[tuple[Tensor, Tensor]]:
        ends = torch.tensor(self.counts, dtype=torch.int64).cumsum(0)
        levels = self.order.split(self.counts) if self.counts else ()
        links = []
        below = self.order[:0]
        for level, end in zip(levels, ends, strict=True):
            # Places within the depth: those in the whole order, less what stands before it.
            links.append((self.back[self.parents[below]] - (end - len(level)), self.slots[below]))
            below = level
        return links


def _numbers(name: str, values: Tensor | Sequence[int]) -> Tensor:
    try:
        given = values if isinstance(values, Tensor) else torch.tensor([*values])
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{name}={values!r}: give one whole number for each node") from None
    if not given.numel():
        given = given.to(torch.int64)
    whole = not (given.is_floating_point() or given.is_complex() or given.dtype == torch.bool)
    if given.dim() != 1 or not whole:
        raise InputError(
            f"{name} of shape {tuple(given.shape)} and type {given.dtype}: give one whole number "
            "for each node"
        )
    return given.to("cpu", torch.int64)


def _checked_slots(slots: Tensor | Sequence[int], parents: Tensor) -> Tensor:
    given = _numbers("slots", slots)
    if len(given) != len(parents) or (given < 0).any():
        raise InputError(
            f"slots={given.tolist()}: give a number from 0 for each of the {len(parents)} nodes"
        )
    child = parents >= 0
    pairs = torch.stack([parents[child], given[child]], 1)
    taken, uses = pairs.unique(dim=0, return_counts=True)
    if (uses > 1).any():
        parent, slot = taken[uses.argmax()].tolist()
        raise InputError(f"two children of node {parent} have slot {slot}: give each its own")
    return given.masked_fill(~child, 0)


def _ranks(parents: Tensor) -> Tensor:
    """Which of its siblings each node is, in the order of their numbers."""
    order = parents.argsort(stable=True)
    ordered = parents[order]
    return (torch.arange(len(parents)) - torch.searchsorted(ordered, ordered))[_inverse(order)]


def _depths(parents: Tensor) -> Tensor:
    """Steps from each node to its root, found by doubling the reach in each round.

    Raises:
        InputError: A node is its own ancestor.
    """
    nodes = len(parents)
    # One node more stands above the roots and above itself.
    above = torch.cat([torch.where(parents < 0, nodes, parents), torch.tensor([nodes])])
    depth = torch.cat([(parents >= 0).to(torch.int64), torch.tensor([0])])
    for _ in range(nodes.bit_length()):
        depth, above = depth + depth[above], above[above]
    lost = (above != nodes).nonzero()
    if len(lost):
        raise InputError(
            f"node {int(lost[0])} has no root: following the parents from there runs in a circle; "
            "give a root the parent -1"
        )
    return depth[:-1]


def _inverse(order: Tensor) -> Tensor:
    places = torch.empty_like(order)
    places[order] = torch.arange(len(order))
    return places
