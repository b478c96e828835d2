"""Expressions to lines of text: what every emitter shares; a table of forms is the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .expr import Expr, walk

_DEEPEST = 5  # Expressions nested deeper are cut into lines, for the reader and for the parser.


@dataclass(frozen=True)
class Form:
    """How an operation is written.

    Attributes:
        pattern: Text with one `{}` per argument.
        binds: How tightly the result holds together: 1 sum, 2 product, 3 sign, 4 name or call.
        wants: How tightly each argument must hold together to go without parentheses.
    """

    pattern: str
    binds: int = 4
    wants: tuple[int, ...] = (0, 0, 0, 0)


ARITHMETIC = {
    "add": Form("{} + {}", 1, (1, 2)),
    "sub": Form("{} - {}", 1, (1, 2)),
    "mul": Form("{} * {}", 2, (2, 3)),
    "div": Form("{} / {}", 2, (2, 3)),
    "neg": Form("-{}", 3, (4,)),
}
"""As Python, C and most languages write it, and grouped exactly as the graph is."""


class Writer:
    """Writes a graph as assignments in one language.

    Args:
        forms: How each operation is written.
        names: Names of nodes that have one already: arguments, and earlier lines.
        special: What overrides a form for one node: its text with its binding, or None.
        repeats: An unnamed value nested no deeper than this is written again where it is used
            again, instead of getting a name.
        fresh: Name of the k-th unnamed value.
    """

    def __init__(
        self,
        forms: Mapping[str, Form],
        names: Mapping[Expr, str],
        special: Callable[[Writer, Expr], tuple[str, int] | None] = lambda writer, node: None,
        repeats: int = 0,
        fresh: Callable[[int], str] = lambda k: f"t{k}",
    ):
        self.forms, self.names, self.special = forms, dict(names), special
        self.repeats, self.fresh = repeats, fresh

    def text(self, node: Expr, wanted: int = 0) -> str:
        """Write one expression, in parentheses where it binds less tightly than wanted."""
        text, binds = self._bare(node)
        return f"({text})" if binds < wanted else text

    def _bare(self, node: Expr) -> tuple[str, int]:
        if node in self.names:
            return self.names[node], 4
        special = self.special(self, node)
        if special is not None:
            return special
        if node.op == "const":
            number = float(node.value or 0.0)
            return repr(number), 3 if number < 0 else 4
        form = self.forms[node.op]
        wants = form.wants[: len(node.args)]
        arguments = [self.text(a, w) for a, w in zip(node.args, wants, strict=True)]
        return form.pattern.format(*arguments), form.binds

    def lines(
        self, outputs: Sequence[Expr], labels: Mapping[Expr, str], reserved: Iterable[str] = ()
    ) -> list[tuple[str, str]]:
        """Write the assignments that the outputs need, name and right-hand side.

        A node gets a line where it has a label, where it is used twice or where it nests deeply;
        all others are written in place. Labelled lines come in the order of the labels where
        they can. Afterwards `text` knows the new names.
        """
        taken = {*self.names.values(), *reserved}
        live = set(walk(outputs))
        nodes = [n for n in walk([*labels, *outputs]) if n in live]
        uses = Counter(a for n in nodes for a in n.args) + Counter(outputs)
        depth: dict[Expr, int] = {}
        lines, unnamed = [], 0
        for node in nodes:
            depth[node] = 1 + max((depth[a] for a in node.args), default=-1)
            if not node.args or node in self.names:
                depth[node] = 0
                continue
            in_place = uses[node] < 2 or depth[node] <= self.repeats
            if node not in labels and in_place and depth[node] < _DEEPEST:
                continue
            name = labels.get(node, "")
            while not name or name in taken:
                name, unnamed = self.fresh(unnamed), unnamed + 1
            right = self.text(node)
            lines.append((name, right))
            taken.add(name)
            self.names[node], depth[node] = name, 0
        return lines


def argument_names(reads: Sequence[str], reserved: Iterable[str]) -> dict[str, str]:
    """Give each value that is read a name that no other argument and no module has."""
    taken = set(reserved)
    names: dict[str, str] = {}
    for read in reads:
        name = read
        while name in taken or (name != read and name in reads):
            name += "_"
        taken.add(name)
        names[read] = name
    return names
