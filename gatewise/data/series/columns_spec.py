"""Which columns of a table mean what, as the caller says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .panel import Panel


@dataclass(frozen=True)
class Columns:
    """Which columns of a table mean what; None and () leave it to what is found.

    Args:
        series: Column that names the series.
        time: Column of stamps.
        target: Column of the values to forecast.
        past: Columns known up to now only.
        future: Columns known ahead, too.
        static: Columns with one value per series.
        freq: The clock: "h", "15min", "D", "W", "MS", ...; found from the stamps when None.

    Example:
        >>> Columns(target="sold", future=("price",)).target
        'sold'
    """

    series: str | None = None
    time: str | None = None
    target: str | None = None
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    freq: str | None = None

    def read(self, source: Any) -> Panel:
        """Read a source as a panel."""
        from .reading import read_panel

        return read_panel(
            source,
            series=self.series,
            time=self.time,
            target=self.target,
            past=self.past,
            future=self.future,
            static=self.static,
            freq=self.freq,
        )
