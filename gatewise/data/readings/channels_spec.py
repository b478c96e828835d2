"""Which columns of a monitored table mean what, as the caller says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .readings import Readings


@dataclass(frozen=True)
class Channels:
    """Which columns of a monitored table mean what; None and () leave it to what is found.

    Args:
        series: Column that names the series, where there are several.
        time: Column of stamps.
        channels: Numeric columns to watch; every one without another role when left out.
        label: Column that is 1 where something is known to be wrong; only `evaluate` looks at it.

    Example:
        >>> Channels(channels=("pressure", "flow")).channels
        ('pressure', 'flow')
    """

    series: str | None = None
    time: str | None = None
    channels: tuple[str, ...] = ()
    label: str | None = None

    def read(self, source: Any) -> Readings:
        """Read a source as readings."""
        from .reading import read_readings

        return read_readings(source, self)
