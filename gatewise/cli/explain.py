"""`gatewise explain`: a cell's equations, and which engines run it."""

from __future__ import annotations


def explain(cell: str, *, hidden_size: int = 64, num_layers: int = 1, device: str = "cpu") -> None:
    """Show a cell's equations, and why each engine runs it here or does not.

    Args:
        cell: Name of a cell, `lstm` or `gru` for instance.
        hidden_size: Units of the layer that is tried.
        num_layers: Layers of it.
        device: Where torch computes: "cpu", "cuda", "mps".

    Example:
        $ gatewise explain peephole_lstm
    """
    from .. import cells

    chosen = cells.by_name(cell)

    import torch

    from ..compiler import step_source
    from ..engines import explain as engines_of
    from ..nn import Recurrent

    layer = Recurrent(chosen, hidden_size, hidden_size, num_layers=num_layers, device=device)
    x = torch.zeros(1, 2, hidden_size, device=device)
    print(chosen.doc, step_source(chosen), engines_of(layer, x), sep="\n\n")
