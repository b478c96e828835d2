"""Turn a matplotlib figure into SVG that lives inside a page: its colours, its font, its names."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

# Light values, used as they are in a picture; in a page each becomes a CSS variable of that name.
PALETTE = {
    "ink": "#1b1f24",
    "muted": "#68707b",
    "grid": "#e3e6ea",
    "paper": "#ffffff",
    "model": "#2459c9",
    "actual": "#1c2026",
    "first": "#c2571a",
    "second": "#2a8a6a",
    "third": "#9a5ab8",
    "fourth": "#a08213",
}
DARK = {
    "ink": "#e7e9ec",
    "muted": "#9aa3ae",
    "grid": "#31363d",
    "paper": "#16191d",
    "model": "#82a8ff",
    "actual": "#f3f4f6",
    "first": "#f0935a",
    "second": "#63c7a3",
    "third": "#cb9be3",
    "fourth": "#d9bd57",
}

_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": PALETTE["ink"],
    "axes.edgecolor": PALETTE["grid"],
    "axes.labelcolor": PALETTE["muted"],
    "axes.labelsize": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": PALETTE["grid"],
    "grid.linewidth": 0.8,
    "xtick.color": PALETTE["muted"],
    "ytick.color": PALETTE["muted"],
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
    "timezone": "UTC",
    "text.parse_math": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Set the charts' style for a while; the caller's own settings come back after it.

    A name in letters that matplotlib's font lacks is drawn with boxes in a picture, and by the
    browser's own fonts in a page; it is no reason to warn.

    Example:
        >>> import matplotlib
        >>> before = matplotlib.rcParams["font.size"]
        >>> with style():
        ...     matplotlib.rcParams["font.size"]
        9.5
        >>> matplotlib.rcParams["font.size"] == before
        True
    """
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def inline(figure: Figure, name: str, label: str) -> str:
    """Write a figure as an `<svg>` element to be put into a page.

    Args:
        figure: Drawn with colours of `PALETTE`, under `style`, as this call is too.
        name: Prefix that keeps the element's ids apart from those of other charts.
        label: What the chart shows, for those who cannot see it.
    """
    import matplotlib

    text = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(text, format="svg", metadata=nothing)
    body = text.getvalue()
    body = body[body.index("<svg") :].strip()
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', r'<svg viewBox="\1">', body, count=1)
    body = _own_ids(body, name)
    for token, colour in PALETTE.items():
        body = body.replace(colour, f"var(--{token})")
    described = f'<svg role="img" aria-label="{_attribute(label)}"'
    return body.replace("<svg", described, 1)


def _own_ids(body: str, name: str) -> str:
    """Keep the ids that something refers to, under the chart's name; drop the others."""
    body = body.replace("xlink:href=", "href=")
    wanted = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', body))
    wanted = {first or second for first, second in wanted}

    def keep(match: re.Match[str]) -> str:
        return f' id="{name}-{match[1]}"' if match[1] in wanted else ""

    body = re.sub(r'\sid="([^"]+)"', keep, body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', body)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
