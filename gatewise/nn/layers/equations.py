"""What a layer makes of its arguments: a step's equations, and how the state reaches them."""

from __future__ import annotations

from ...compiler import Cell, clip, diagonal, layer_norm
from ...connectivity import Connectivity, Dense, from_key
from ...errors import InputError, nearest
from ..arguments import called

DIAGONAL = "diagonal"
_KINDS = ("dense", DIAGONAL, "heads:N", "low_rank:RANK", "masked:DENSITY:SEED")


def equations(
    cell: Cell, placement: str | None, limit: float | None, connectivity: Connectivity | str
) -> Cell:
    """Put into a cell's equations what is settled when a layer is built.

    Args:
        cell: The equations of one step.
        placement: As the argument `layer_norm` of `Recurrent`.
        limit: As its argument `cell_clip`.
        connectivity: As its argument of that name.

    Raises:
        InputError: The cell cannot take one of them.

    Example:
        >>> from gatewise.cells import elman
        >>> equations(elman, None, None, "diagonal").state_rows
        ()
    """
    if placement is not None:
        with called("layer_norm", placement, "placement"):
            cell = layer_norm(cell, placement)
    if connectivity == DIAGONAL:
        cell = diagonal(cell)
    with called("cell_clip", limit, "limit"):
        return cell if limit is None else clip(cell, limit)


def connected(connectivity: Connectivity | str, proj_size: int) -> Connectivity:
    """Give the connectivity of a layer's arguments.

    Args:
        connectivity: A value, its key, or `"diagonal"`, which is a matter of the equations.
        proj_size: Features of the projected output.

    Raises:
        InputError: It is none of these, or there is a projection that only the dense one has.
    """
    if isinstance(connectivity, str):
        if connectivity in ("dense", DIAGONAL):
            return Dense(proj_size)
        if ":" not in connectivity:
            raise InputError(
                f"connectivity={connectivity!r}: give a value of gatewise.connectivity, or text "
                f"such as {', '.join(map(repr, _KINDS))}; {nearest(connectivity, _KINDS)}"
            )
        with called("connectivity", connectivity):
            connectivity = from_key(connectivity)
    if not hasattr(connectivity, "expand"):
        raise InputError(
            f"connectivity={connectivity!r}: give a value of gatewise.connectivity, such as "
            "Heads(4), or its text"
        )
    if proj_size and connectivity != Dense(proj_size):
        raise InputError(
            f"proj_size={proj_size} with connectivity={connectivity!r}: only the dense one has a "
            "projection; leave one of the two out"
        )
    return connectivity
