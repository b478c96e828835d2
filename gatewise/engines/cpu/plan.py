"""What a cell asks of the kernels: which sums, which values to keep, what flows back.

A plan knows no sizes and no machine. It cuts a cell's step into parts, one for each of its stages
(and one for a projection), and gives for each part the graphs that the kernels are written from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...compiler import Cell, Stage
from ...compiler.cut import least_cut
from ...compiler.expr import Expr, var, walk
from ...compiler.grad import vjp
from ...compiler.simplify import simplify
from .means import as_products

INPUT = "@x"
"""The input, among what weights multiply: no state can be called so."""

RAW = "raw@h"
"""The cell's new output before it is projected."""


@dataclass(frozen=True)
class Sum:
    """One number per unit that is summed up over a row of weights: what a gate receives.

    Attributes:
        name: The variable that stands for it in the part's graphs.
        x: Row block of `weight_ih` that multiplies the input; "" for none.
        u: Row block of `weight_hh` that multiplies the operand; "" for none.
        operand: The value that `u` multiplies: a state as it was, or what an earlier part computes.
        mean: A value of that kind whose mean over the units this is, without weights; "" for none.
    """

    name: str
    x: str = ""
    u: str = ""
    operand: str = ""
    mean: str = ""


Named = tuple[tuple[str, Expr], ...]


@dataclass(frozen=True)
class Part:
    """The pointwise work between two products.

    In the graphs, a state's name is its old value, `new@NAME` its new one, `kept@K` what the
    forward pass kept, and `d@NAME` the gradient of what the part computes.

    Attributes:
        sums: What it receives, each read here for the first time.
        computes: Values for later parts; in the last part the new states, under their names.
        kept: What the forward pass writes down for the backward pass.
        gradients: For each of `sums`, old states, weights and values of earlier parts that it
            depends on: the gradient, from what is kept.
        rebuilt: Operands of products, computed again for the gradient of their weights.
    """

    sums: tuple[Sum, ...]
    computes: Named
    kept: Named
    gradients: Named
    rebuilt: Named


def sources(part: Part) -> list[str]:
    """What rows of weights multiply in a part: `INPUT` and the operands."""
    found = [INPUT] if any(s.x for s in part.sums) else []
    return found + list(dict.fromkeys(s.operand for s in part.sums if s.operand))


def taking(part: Part, source: str) -> list[int]:
    """Which sums of a part take something from a source."""
    return [k for k, s in enumerate(part.sums) if (s.x if source == INPUT else s.operand == source)]


@dataclass(frozen=True, eq=False)
class Plan:
    """A cell, ready to be written as kernels; `plan` gives the same one for the same cell.

    Attributes:
        key: Its cell as text, and whether its output is projected: no two plans share it.
        input_rows: Row blocks of `weight_ih`, in order.
        state_rows: Row blocks of `weight_hh`, in order.
        states: Names of the states; the first leaves the layer.
        weights: Names of the learned vectors.
        noises: Names of the noise that is given.
        projected: Whether the last part is a projection of `RAW`, which has as many units as the
            output.
        parts: In the order of the forward pass.
        crossing: Values that one part computes for another.
        planes: All sums in the order in which their gradients lie in a row: with those that
            multiply the same operand side by side.
        means: Sums that are means over the units; none of the planes.
        timed: States whose value at every step the backward pass wants, beside the output.
        rebuilt: New values of all of `timed`, from old ones and from what is kept; nothing where
            that cannot be.
    """

    key: str
    input_rows: tuple[str, ...]
    state_rows: tuple[str, ...]
    states: tuple[str, ...]
    weights: tuple[str, ...]
    noises: tuple[str, ...]
    projected: bool
    parts: tuple[Part, ...]
    crossing: tuple[str, ...]
    planes: tuple[Sum, ...]
    means: tuple[Sum, ...]
    timed: tuple[str, ...]
    rebuilt: Named

    @property
    def operands(self) -> tuple[str, ...]:
        """Everything that recurrent weights multiply, the output first."""
        return tuple(dict.fromkeys(s.operand for s in self.planes if s.operand))

    def runs(self, operand: str) -> list[tuple[int, int]]:
        """First plane and number of planes whose sums multiply an operand or `INPUT`."""
        runs: list[tuple[int, int]] = []
        for k, row in enumerate(self.planes):
            if not (row.x if operand == INPUT else row.operand == operand):
                continue
            if runs and sum(runs[-1]) == k:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1)
            else:
                runs.append((k, 1))
        return runs


_plans: dict[tuple[str, bool], Plan] = {}


def plan(cell: Cell, projected: bool = False) -> Plan:
    """Make the plan of a cell.

    Args:
        cell: The equations.
        projected: Whether its output is projected.

    Example:
        >>> from gatewise.cells import lstm
        >>> made = plan(lstm)
        >>> [row.name for row in made.planes], len(made.parts[0].kept), made.timed
        (['i', 'f', 'g', 'o'], 4, ('c',))
    """
    # By its text, which is made once: hashing the graph takes longer than a small call.
    key = cell.key, projected
    if key not in _plans:
        _plans[key] = _made(cell, projected)
    return _plans[key]


def _made(cell: Cell, projected: bool) -> Plan:
    reduced, means = as_products(cell)
    sums, computes = _sums(reduced, reduced.stages, means)
    output = cell.states[0]
    if projected:
        computes[-1] = [(RAW if n == output else n, e) for n, e in computes[-1]]
        sums.append([Sum("p@h", u="weight_hr", operand=RAW)])
        computes.append([(output, var("p@h"))])
    names = {row.name for rows in sums for row in rows}
    crossing = tuple(n for part in computes for n, _ in part if n not in cell.states)
    parts, again = _parts(cell, sums, computes, names)
    rows = [row for rows in sums for row in rows]
    planes = sorted((row for row in rows if not row.mean), key=_by_operand(sums))
    others = cell.states[1:]
    backward = [e for p in parts for _, e in (*p.gradients, *p.rebuilt)]
    wanted = {str(n.value) for n in walk(backward)}
    operands = {row.operand for row in planes}
    timed = tuple(s for s in others if s in wanted or f"new@{s}" in wanted or s in operands)
    return Plan(
        key=f"{cell.key} {projected}",
        input_rows=cell.input_rows,
        state_rows=cell.state_rows,
        states=cell.states,
        weights=tuple(cell.weights),
        noises=tuple(cell.noises),
        projected=projected,
        parts=parts,
        crossing=crossing,
        planes=tuple(planes),
        means=tuple(row for row in rows if row.mean),
        timed=timed,
        rebuilt=_rebuilt(timed, again, names),
    )


def _sums(
    cell: Cell, stages: Sequence[Stage], means: Collection[str]
) -> tuple[list[list[Sum]], list[list[tuple[str, Expr]]]]:
    """What each stage receives for the first time, and what it computes."""
    applied = {row: value for stage in stages for row, value in stage.products}
    rows = {*cell.input_rows, *cell.state_rows}
    reads = [
        {str(n.value) for n in walk(stage.outputs) if n.op == "var"} & rows for stage in stages
    ]
    # The mean of a sum itself: the stage before hands it on.
    alone = [{value for _, value in stage.products} & rows for stage in stages]
    sums: list[list[Sum]] = []
    computes: list[list[tuple[str, Expr]]] = []
    seen: set[str] = set()
    for k, stage in enumerate(stages):
        later = set().union(*reads[k + 1 :], *alone[k:])
        fresh = [r for r in dict.fromkeys((*cell.input_rows, *cell.state_rows))
                 if r in reads[k] | alone[k] and r not in seen]  # fmt: skip
        seen |= set(fresh)
        own = [_sum(cell, row, applied, means) for row in fresh]
        new = list(zip(stage.names, stage.outputs, strict=True))
        own, outputs = _merged(own, [e for _, e in new], later)
        new = [(n, e) for (n, _), e in zip(new, outputs, strict=True)]
        new += [(row, var(row)) for row in fresh if row in later]
        vectors = {v for _, v in stage.products if v in cell.weights or v in cell.noises}
        new += [(_copied(vector), var(vector)) for vector in sorted(vectors)]
        sums.append(own)
        computes.append(new)
    return sums, computes


def _sum(cell: Cell, row: str, applied: Mapping[str, str], means: Collection[str]) -> Sum:
    if row in means:
        value = applied.get(row, cell.states[0])
        is_vector = value in cell.weights or value in cell.noises
        return Sum(row, mean=_copied(value) if is_vector else value)
    has_u = row in cell.state_rows
    operand = applied.get(row, cell.states[0]) if has_u else ""
    return Sum(row, row if row in cell.input_rows else "", row if has_u else "", operand)


def _copied(vector: str) -> str:
    """What a learned vector, or noise, is called as a value of a part."""
    return f"copy@{vector}"


def _merged(
    sums: list[Sum], outputs: Sequence[Expr], later: set[str]
) -> tuple[list[Sum], list[Expr]]:
    """Sum up the two halves of a gate at once where only their sum is wanted."""
    uses = Counter(a for n in walk(outputs) for a in n.args)
    halves = {var(s.name): s for s in sums if s.name not in later}
    merged: dict[Expr, Expr] = {}
    for node in walk(outputs):
        if node.op != "add" or not all(a in halves and uses[a] == 1 for a in node.args):
            continue
        x, u = (halves[a] for a in node.args)
        if x.u:
            x, u = u, x
        if x.u or not x.x or not u.u or u.x:
            continue
        name = f"{x.name}+{u.name}"
        merged[node] = var(name)
        sums = [s for s in sums if s not in (x, u)] + [Sum(name, x.x, u.u, u.operand)]
    return sums, _replaced(outputs, merged)


def _by_operand(sums: Sequence[Sequence[Sum]]):
    order = list(dict.fromkeys(row.operand for rows in sums for row in rows if row.operand))
    return lambda row: (order.index(row.operand) if row.operand else -1, not row.x)


def _parts(
    cell: Cell,
    sums: Sequence[Sequence[Sum]],
    computes: Sequence[Sequence[tuple[str, Expr]]],
    names: set[str],
) -> tuple[tuple[Part, ...], dict[str, Expr]]:
    """Differentiate each part, and choose what the forward pass keeps for it.

    Returns:
        The parts, and each new state in terms of what is kept where it can be.
    """
    full: dict[str, Expr] = {}
    for part in computes:
        # Rows that a later part reads again are sums there, too.
        known = {var(n): e for n, e in full.items() if n not in cell.states}
        for (name, _), whole in zip(part, _replaced([e for _, e in part], known), strict=True):
            full[name] = whole
    # A new state is written down anyway; but what leaves the layer may be projected before.
    at_hand = {full[s]: var(f"new@{s}") for s in cell.states if full[s].args}
    free = {var(n) for n in (*cell.states, *cell.weights, *cell.noises)}
    operands = {row.operand for rows in sums for row in rows} - {*cell.states, ""}

    backward: list[list[tuple[str, Expr]]] = []
    rebuilt: list[list[tuple[str, Expr]]] = []
    for part in computes:
        reads = _reads([e for _, e in part])
        along = [var(f"d@{n}") for n, _ in part]
        found = vjp([e for _, e in part], along, [var(r) for r in reads])
        crossed = {var(n): e for n, e in full.items() if n not in cell.states and n not in names}
        crossed |= {var(n): full[n] for n in full if n in names}
        whole = _replaced(simplify(found), crossed)
        whole = _replaced(simplify(whole), at_hand)
        backward.append([(r, e) for r, e in zip(reads, whole, strict=True)
                         if r not in cell.noises])  # fmt: skip
        again = [(n, full[n]) for n, _ in part if n in operands]
        rebuilt.append([(n, e) for (n, _), e in zip(
            again, _replaced([e for _, e in again], at_hand), strict=True)])  # fmt: skip

    wanted = [e for part in (*backward, *rebuilt) for _, e in part]
    kept = least_cut(_without_cotangents(wanted), free | set(at_hand.values()))
    level = _levels(sums, full)
    stored = {node: f"kept@{k}" for k, node in enumerate(kept)}
    undo = {new: old for old, new in at_hand.items()}
    parts = []
    for k, part in enumerate(computes):
        earlier = {full[n]: var(n) for p in computes[:k] for n, _ in p if n not in cell.states}
        mine = [n for n in kept if level(n) == k]
        local = _replaced(_replaced(mine, undo), earlier)
        known = {n: var(s) for n, s in stored.items()}
        parts.append(
            Part(
                sums=tuple(sums[k]),
                computes=tuple(part),
                kept=tuple((stored[n], e) for n, e in zip(mine, local, strict=True)),
                gradients=_named(backward[k], known),
                rebuilt=_named(rebuilt[k], known),
            )
        )
    known = {n: var(s) for n, s in stored.items()}
    states = [full[s] for s in cell.states]
    return tuple(parts), dict(zip(cell.states, _replaced(states, known), strict=True))


def _rebuilt(timed: Sequence[str], again: Mapping[str, Expr], sums: set[str]) -> Named:
    """The new values of states without any of the sums, or nothing."""
    found = tuple((name, again[name]) for name in timed)
    reads = {str(n.value) for _, e in found for n in walk([e]) if n.op == "var"}
    return () if reads & sums else found


def _named(pairs: Sequence[tuple[str, Expr]], known: Mapping[Expr, Expr]) -> Named:
    new = _replaced([e for _, e in pairs], known)
    return tuple((n, e) for (n, _), e in zip(pairs, new, strict=True))


def _reads(outputs: Sequence[Expr]) -> list[str]:
    return list(dict.fromkeys(str(n.value) for n in walk(outputs) if n.op == "var"))


def _levels(sums: Sequence[Sequence[Sum]], full: Mapping[str, Expr]):
    """Which part has all that a node is computed from."""
    home = {row.name: k for k, rows in enumerate(sums) for row in rows}

    def level(node: Expr) -> int:
        return max((home.get(str(n.value), 0) for n in walk([node]) if n.op == "var"), default=0)

    return level


def _without_cotangents(outputs: Iterable[Expr]) -> list[Expr]:
    """The largest nodes in which no gradient takes part: what the backward pass computes again."""
    outputs = list(outputs)
    moving: dict[Expr, None] = {}
    for node in walk(outputs):
        if (node.op == "var" and str(node.value).startswith("d@")) or any(
            a in moving for a in node.args
        ):
            moving[node] = None
    still = [o for o in outputs if o not in moving]
    return still + [a for n in moving for a in n.args if a not in moving and a.op != "const"]


def _replaced(outputs: Sequence[Expr], known: Mapping[Expr, Expr]) -> list[Expr]:
    """Put other nodes in the place of some, from the outputs down; what is put in stays."""
    new: dict[Expr, Expr] = {}
    pending = [(o, False) for o in outputs]
    while pending:
        node, ready = pending.pop()
        if node in new:
            continue
        if node in known:
            new[node] = known[node]
        elif ready or not node.args:
            new[node] = Expr(node.op, tuple(new[a] for a in node.args), node.value)
        else:
            pending.append((node, True))
            pending.extend((a, False) for a in node.args)
    return [new[o] for o in outputs]
