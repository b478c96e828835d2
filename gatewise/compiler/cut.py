"""What to keep of a graph so that some of its values can be computed again: the fewest nodes."""

from __future__ import annotations

from collections.abc import Iterable, Set

from .expr import Expr, walk

_MANY = 1 << 30


def least_cut(needed: Iterable[Expr], free: Set[Expr]) -> list[Expr]:
    """Find the fewest nodes from which, with the free ones, all needed nodes follow.

    A smallest vertex cut between the variables and what is needed (Menger). Of several of the same
    size it is the one closest to what is needed, so that least is computed again.

    Args:
        needed: Nodes whose values are wanted.
        free: Nodes whose values are at hand anyway; constants always are.

    Example:
        >>> from gatewise.compiler.expr import sigmoid, var
        >>> a, c = var("a"), var("c")
        >>> i = sigmoid(a + c)
        >>> least_cut([i * (1 - i), i * c], {c})
        [sigmoid(add(var('a'), var('c')))]
    """
    needed = list(needed)
    nodes = [n for n in _behind(needed, free) if n not in free and n.op != "const"]
    place = {node: 2 * k for k, node in enumerate(nodes)}  # The way in; the way out is one more.
    source, sink = 2 * len(nodes), 2 * len(nodes) + 1
    room: list[dict[int, int]] = [{} for _ in range(2 * len(nodes) + 2)]

    def join(a: int, b: int, capacity: int) -> None:
        room[a][b] = room[a].get(b, 0) + capacity
        room[b].setdefault(a, 0)

    for node, k in place.items():
        join(k, k + 1, 1)
        if not node.args:
            join(source, k, _MANY)
        for argument in dict.fromkeys(node.args):
            if argument in place:
                join(place[argument] + 1, k, _MANY)
    for node in dict.fromkeys(needed):
        if node in place:
            join(place[node] + 1, sink, _MANY)
    while _augment(room, source, sink):
        pass
    behind = _reaching(room, sink)
    return [n for n, k in place.items() if k + 1 in behind and k not in behind]


def _behind(needed: list[Expr], free: Set[Expr]) -> list[Expr]:
    """Every node that the needed ones are computed from, not looking behind free ones."""
    seen: set[Expr] = set()
    pending = [n for n in needed if n not in free]
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending.extend(a for a in node.args if a not in free)
    order = {n: k for k, n in enumerate(walk(needed))}
    return sorted(seen, key=order.__getitem__)


def _augment(room: list[dict[int, int]], source: int, sink: int) -> bool:
    """Send one unit more from source to sink, if there is a way."""
    came: dict[int, int] = {source: source}
    pending = [source]
    while pending and sink not in came:
        a = pending.pop()
        for b, left in room[a].items():
            if left > 0 and b not in came:
                came[b] = a
                pending.append(b)
    if sink not in came:
        return False
    b = sink
    while b != source:
        a = came[b]
        room[a][b] -= 1
        room[b][a] += 1
        b = a
    return True


def _reaching(room: list[dict[int, int]], sink: int) -> set[int]:
    """Every place from which something could still flow to the sink."""
    found, pending = {sink}, [sink]
    while pending:
        b = pending.pop()
        for a in room[b]:
            if a not in found and room[a].get(b, 0) > 0:
                found.add(a)
                pending.append(a)
    return found
