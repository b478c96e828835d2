"""What compiled functions are told: the words of their argument blocks, by name.

Frames write them and LLVM's text reads them; who only writes need not know how text is made.
"""

from __future__ import annotations

from collections.abc import Iterable

from .plan import INPUT, Plan, sources


class Words:
    """Names of the words of a block, in order; word 0 is the address of the function.

    Example:
        >>> Words(["begin", "end"])["end"]
        2
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = ("function", *dict.fromkeys(names))
        self._places = {name: k for k, name in enumerate(self.names)}

    def __getitem__(self, name: str) -> int:
        return self._places[name]

    def __len__(self) -> int:
        return len(self.names)


UNITS = ("hidden", "output")
"""What counts units: those of the cell, and those that leave the layer."""

_SHARED = tuple(f"{units}:{end}" for units in UNITS for end in ("from", "to"))
_MEETING = ("meeting", "team", "met")
"""Address of a counter, nothing where nobody is waited for; how many meet; how often so far."""

FEW_ROWS = 2
"""Rows of a thread up to which all of the input is multiplied at once, before time begins."""

COPY = Words(["to", "from", "rows", "columns", "padded", "add"])
"""What `copy_rows` is told: tables of addresses; columns are filled up with zeros to `padded`."""

UNPACK = Words(["to", "to_row", "from", "from_row", "rows", "columns"])
"""What `transpose` is told: `to[row][column] = from[column][row]`, rows of bytes apart."""

ZERO = Words(["to", "count"])
"""What `zero` is told: an address, and how many whole vectors."""

SEQUENCE = Words(["count"])
"""What `sequence` is told: how many jobs; behind it, their addresses."""

PACK = Words(["to", "from", "from_row", "starts", "number", "units", "padded", "columns",
              "begin", "end"])  # fmt: skip
"""What `pack_units` and `pack_columns` are told.

`from` is a matrix whose rows are `from_row` numbers apart; `starts` holds the first row of each of
`number` blocks of `units` rows, which are filled up with zeros to `padded`; `columns` is its width.
"""

OUTER = Words([
    "a_rows", "a_step", "a_shift", "a_origin", "a_start", "a_row", "g_rows", "g_step", "g_row",
    "first", "last", "lengths", "rows", "tables", "count", "to", "to_row",
    "begin", "end",
])  # fmt: skip
"""What `outer` and `total` are told.

At step s, row r, the numbers `a` are at `a_rows[r] + (s - a_shift) * a_step`, or before the first
step at `a_start + r * a_row`; where there is no table `a_rows`, at
`a_start + (s - a_origin) * a_step + r * a_row`. The vectors `g` are at
`g_rows + (s - first) * g_step + r * g_row`. `tables` is room for two addresses a row and step.
"""


def forward_words(plan: Plan) -> Words:
    """What the forward kernel of a plan is told; addresses, bytes and counts.

    What is kept begins at step `origin`. A job runs some rows, and of those the blocks of units
    `hidden:from` up to `hidden:to`. Where the units of a row are shared, all `team` jobs meet at
    the counter `meeting` after each part.
    """
    names = ["begin", "end", "first", "last", "origin", "lengths", "input"]
    names += [f"{units}{what}" for units in UNITS for what in ("", ":blocks", ":padded")]
    names += [*_SHARED, *_MEETING]
    names += ["x_rows", "x_step", "sums_rows", "sums_step", "y_rows", "y_step", "step"]
    for noise in plan.noises:
        names += [f"noise_rows:{noise}", f"noise_step:{noise}"]
    names += [f"weight:{w}" for w in plan.weights]
    for state in plan.states:
        names += [f"{what}:{state}" for what in ("state", "state_step", "state_wrap", "old", "new")]
    names += [f"value:{name}" for name in plan.crossing]
    names += [f"mean:{row.name}" for row in plan.means]
    for k, part in enumerate(plan.parts):
        names += [f"bias:{k}", f"kept:{k}", f"kept_step:{k}", f"keep:{k}"]
        for source in sources(part):
            names += [f"{what}:{k}:{source}" for what in ("panel", "columns", "chosen")]
    return Words(names)


def backward_words(plan: Plan) -> Words:
    """What the backward kernel of a plan is told; addresses, bytes and counts.

    What was kept begins at step `origin`, states at `state_origin`, and what waits for gradients
    of weights at step `first`. A job runs some rows, and of those the blocks of units `hidden:from`
    up to `hidden:to`, and of the input `input:from` up to `input:to`. Where these of a row are
    shared, all `team` jobs meet at the counter `meeting` in each step.
    """
    names = ["begin", "end", "first", "last", "origin", "state_origin", "lengths"]
    names += ["input", "step", "nth", "since", "state_since"]
    names += [f"{units}{what}" for units in UNITS for what in ("", ":blocks", ":padded")]
    names += [*_SHARED, "input:from", "input:to", *_MEETING]
    names += ["y_rows", "y_step", "start", "d_rows", "d_step", "dx_rows", "dx_step"]
    names += ["planes", "planes_step", "planes_row", "product", "product_rows"]
    for noise in plan.noises:
        names += [f"noise_rows:{noise}", f"noise_step:{noise}"]
    for weight in plan.weights:
        names += [f"weight:{weight}", f"gradient:{weight}"]
    names += [f"carry:{name}" for name in (*plan.states, *plan.crossing)]
    names += [f"mean:{row.name}" for row in plan.means]
    for state in plan.timed:
        names += [f"state:{state}", f"state_step:{state}"]
    for k in range(len(plan.parts)):
        names += [f"kept:{k}", f"kept_step:{k}"]
    for operand in (INPUT, *plan.operands):
        names += [f"panel:{operand}:{j}" for j in range(len(plan.runs(operand)))]
        names += [f"operand:{operand}", f"operand_step:{operand}"]
    return Words(names)
