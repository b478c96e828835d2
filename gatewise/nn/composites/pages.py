"""What the pages of layers made of recurrent layers say."""

from __future__ import annotations

from ..page import Page
from .stacked import Stacked

_LOOP = "Layer by layer on the engines, at the cost of `Recurrent`."

PAGES: dict[str, Page] = {
    "stacked": Page(
        Stacked,
        "Use it from three or four layers on, where plain stacks learn slowly: residual and "
        "highway connections carry a layer's input past it, skip and dense ones let each layer "
        "see what lies below.",
        r"""
        y^{l}_{t} &= \operatorname{cell}^{l}(x^{l}_{t}, \text{state}^{l}_{t-1}) \\
        \text{residual:} \quad x^{l+1}_{t} &= y^{l}_{t} + x^{l}_{t} \\
        \text{highway:} \quad x^{l+1}_{t} &=
            s^{l}_{t} \odot y^{l}_{t} + (1 - s^{l}_{t}) \odot x^{l}_{t},
            \quad s^{l}_{t} = \sigma(W^{l} x^{l}_{t} + b^{l}) \\
        \text{skip:} \quad x^{l+1}_{t} &= [y^{l}_{t}, x^{1}_{t}],
            \quad \text{the output is } [y^{1}_{t}, \dots, y^{L}_{t}] \\
        \text{dense:} \quad x^{l+1}_{t} &= [x^{l}_{t}, y^{l}_{t}]
        """,
        """
        flowchart LR
            x(["x of the layer"])
            cell["cell over time"]
            gate{{"W x: s, highway alone"}}
            join["joined"]
            next(["x of the next layer"])
            x --> cell
            cell -- y --> join
            x --> join
            x -.-> gate
            gate -.-> join
            join --> next
        """,
        "H inputs and units and L layers",
        ("LH^2", "LH"),
        {
            f"`connection={name!r}` on an lstm": lambda n, name=name: Stacked(
                "lstm", n["H"], n["H"], num_layers=n["L"], connection=name
            )
            for name in ("residual", "highway")
        },
        (
            _LOOP,
            "A highway's gate is a product of all steps at once; the other connections cost "
            "nothing to speak of, but skip and dense ones widen what a layer reads.",
        ),
    ),
}
"""By file name without its ending."""
