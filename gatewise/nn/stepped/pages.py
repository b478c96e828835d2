"""What the pages of layers with a loop of their own say."""

from __future__ import annotations

import re

from ... import cells
from ...compiler import Cell, flowchart
from ..page import Page, above, rows
from .conv_recurrent import ConvRecurrent
from .grid import GridLSTM
from .mogrifier import Mogrifier
from .tree import TreeLSTM


def convolved(cell: Cell) -> str:
    """A cell's rows with convolutions in the place of products."""
    return re.sub(r"([WU]_\{\w+\}) (?=[xh]_)", r"\1 * ", rows(cell))


def _of_both(cell: Cell) -> str:
    """A cell's rows with one vector H of what it sees."""
    return re.sub(r"W_\{(\w+)\} x_\{t\} \+ U_\{\1\} h_\{t-1\}", r"W_{\1} H", rows(cell))


def _modulated(cell: Cell) -> str:
    """A cell's rows with what the rounds made of input and output."""
    seen = re.sub(r"(U_\{\w+\}) h_\{t-1\}", r"\1 \\hat{h}", rows(cell))
    return seen.replace("x_{t}", r"\hat{x}")


PAGES: dict[str, Page] = {
    "conv_lstm": Page(
        ConvRecurrent,
        "Use it for sequences of maps, such as video, radar or grids of sensors, where what "
        "happens at a place depends on the places around it. The equations are the paper's, "
        '`ConvRecurrent("peephole_lstm", ...)`; any other cell takes convolutions likewise.',
        convolved(cells.peephole_lstm),
        flowchart(cells.peephole_lstm).replace("W x + U h", "W * x + U * h"),
        "I and H channels of input and state, and kernels of K places",
        ("KHI", "KH^2", "H"),
        {
            f'`ConvRecurrent("{name}")`': lambda n, name=name: ConvRecurrent(
                name, n["I"], n["H"], (n["K"],)
            )
            for name in ("lstm", "peephole_lstm")
        },
        (
            "With `spatial_size`, a peephole has a number for each channel and place.",
            "Each weight of a kernel multiplies once a step and place.",
            "The input's convolution is done for all steps at once; the state's waits for the step "
            "before, in a loop in Python.",
        ),
    ),
    "tree_lstm": Page(
        TreeLSTM,
        "Use it for parse trees, formulas and other hierarchies: child-sum where a node has any "
        "number of children, N-ary where children have places, as left and right have.",
        r"""
        \text{child-sum:} \quad
        H_{j} &= \sum_{k \in C(j)} h_{k} \\
        i_{j} &= \sigma(W_{i} x_{j} + U_{i} H_{j} + b_{i}) \\
        f_{jk} &= \sigma(W_{f} x_{j} + U_{f} h_{k} + b_{f}) \\
        g_{j} &= \tanh(W_{g} x_{j} + U_{g} H_{j} + b_{g}) \\
        o_{j} &= \sigma(W_{o} x_{j} + U_{o} H_{j} + b_{o}) \\
        \text{N-ary:} \quad
        i_{j} &= \sigma(W_{i} x_{j} + \textstyle\sum_{l=1}^{N} U_{i,l} h_{jl} + b_{i}) \\
        f_{jk} &= \sigma(W_{f} x_{j} + \textstyle\sum_{l=1}^{N} U_{f,k,l} h_{jl} + b_{f}) \\
        g_{j} &= \tanh(W_{g} x_{j} + \textstyle\sum_{l=1}^{N} U_{g,l} h_{jl} + b_{g}) \\
        o_{j} &= \sigma(W_{o} x_{j} + \textstyle\sum_{l=1}^{N} U_{o,l} h_{jl} + b_{o}) \\
        \text{both:} \quad
        c_{j} &= i_{j} \odot g_{j} + \sum_{k \in C(j)} f_{jk} \odot c_{k} \\
        h_{j} &= o_{j} \odot \tanh(c_{j})
        """,
        """
        flowchart BT
            x(["x of the node"])
            h(["h of each child"])
            c(["c of each child"])
            gates{{"W x + U h, of the children together: i, g, o"}}
            forget{{"W x + U h, for each child: f"}}
            new_c(["c of the node"])
            new_h(["h of the node"])
            x --> gates
            h --> gates
            x --> forget
            h --> forget
            gates -- "i, g" --> new_c
            forget --> new_c
            c --> new_c
            gates -- o --> new_h
            new_c --> new_h
        """,
        "I inputs, H units and N slots",
        ("HI", "H^2", "NH^2", "N^2H^2", "H"),
        {
            "child-sum": lambda n: TreeLSTM(n["I"], n["H"]),
            "N-ary": lambda n: TreeLSTM(n["I"], n["H"], arity=n["N"]),
        },
        (
            "The nodes of one depth, of all trees of a batch, are one product: a loop in Python "
            "over depths, not over nodes.",
        ),
    ),
    "grid_lstm": Page(
        GridLSTM,
        "Use it for deep recurrent networks that are hard to train: a memory along depth carries "
        "gradients past layers as the memory along time carries them past steps.",
        above(
            _of_both(cells.grid_lstm),
            r"""
        (h^{0}_{t}, c^{0}_{t}) &= W_{in} x_{t} \\
        H^{l}_{t} &= [\vec{h}^{l}_{t-1}, h^{l-1}_{t}] \\
        (\vec{h}^{l}_{t}, \vec{c}^{l}_{t}) &=
            \operatorname{LSTM}^{l}_{\text{time}}(H^{l}_{t}, \vec{c}^{l}_{t-1}) \\
        (h^{l}_{t}, c^{l}_{t}) &=
            \operatorname{LSTM}^{l}_{\text{depth}}(H^{l}_{t}, c^{l-1}_{t}) \\
        \text{with} \quad
        """,
        ),
        """
        flowchart LR
            time(["h, c along time (t-1)"])
            depth(["h, c along depth, from below"])
            both{{"W H of both h"}}
            along_time["LSTM along time"]
            along_depth["LSTM along depth"]
            new_time(["h, c along time (t)"])
            new_depth(["h, c along depth, upwards"])
            time -- h --> both
            depth -- h --> both
            both --> along_time
            both --> along_depth
            time -- c --> along_time
            depth -- c --> along_depth
            along_time --> new_time
            along_depth --> new_depth
        """,
        "I inputs, H units and L layers",
        ("HI", "LH^2", "H^2", "LH", "H"),
        {
            "a grid": lambda n: GridLSTM(n["I"], n["H"], n["L"]),
            "one with tied layers": lambda n: GridLSTM(n["I"], n["H"], n["L"], tied=True),
        },
        (
            "Along time a layer runs on the engines, as any recurrent layer of its size; along "
            "depth all steps are one product. Together they are twice the work of stacked layers.",
        ),
    ),
    "mogrifier": Page(
        Mogrifier,
        "Use it for language and other symbols whose meaning hangs on what came before: input and "
        "state change each other before the cell sees them.",
        above(
            _modulated(cells.lstm),
            r"""
        x^{(-1)} &= x_{t}, \quad h^{(0)} = h_{t-1} \\
        x^{(k)} &= 2 \sigma(Q_{k} h^{(k-1)}) \odot x^{(k-2)}, \quad k = 1, 3, \dots \\
        h^{(k)} &= 2 \sigma(R_{k} x^{(k-1)}) \odot h^{(k-2)}, \quad k = 2, 4, \dots \\
        \hat{x}, \hat{h} &= \text{the last of each} \\
        """,
        ),
        """
        flowchart LR
            x(["x(t)"])
            h(["h(t-1)"])
            c(["c(t-1)"])
            first{{"Q1 h"}}
            x_1["x scaled"]
            second{{"R2 x"}}
            h_2["h scaled"]
            more["more rounds"]
            cell["LSTM"]
            new(["h, c (t)"])
            h --> first
            first --> x_1
            x --> x_1
            x_1 --> second
            second --> h_2
            h --> h_2
            x_1 --> more
            h_2 --> more
            more --> cell
            c --> cell
            cell --> new
        """,
        "I inputs, H units and R rounds",
        ("HI", "H^2", "H", "RHI"),
        {'`Mogrifier("lstm")`': lambda n: Mogrifier("lstm", n["I"], n["H"], rounds=n["R"])},
        (
            "Each round is a product more in a step, which waits for the round before; with `rank` "
            "its matrix is a product of two thin ones.",
            "It is a loop in Python.",
        ),
    ),
}
"""By file name without its ending."""
