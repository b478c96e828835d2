"""Text coloured by how much each token of it surprised a model."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FULL = 8.0
"""Nats from which on the colour gets no stronger."""

_STRONGEST = 0.75


def surprise_text(scored: Iterable[tuple[str, float]], glue: str = "") -> str:
    """Write tokens on a ground that is the darker the more they cost; nats on hovering.

    Args:
        scored: Token, as it is shown, and nats.
        glue: What stands between tokens.

    Example:
        >>> "rgba(217,119,6,0.38)" in surprise_text([("<", 4.0)])
        True
    """
    spans = (
        f"<span title='{nats:.2f} nats' style='background:rgba(217,119,6,"
        f"{_STRONGEST * min(max(nats, 0.0), FULL) / FULL:.2f})'>{escape(token)}</span>"
        for token, nats in scored
    )
    return f"<p style='white-space:pre-wrap;font-family:monospace'>{escape(glue).join(spans)}</p>"
