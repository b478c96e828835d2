"""A fitted forecaster as its report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..evaluation.rolling import OURS, Rolling
from ..inspection.report import ForecastReport, Seen, Span, Window
from .reporting import configuration, curve

if TYPE_CHECKING:
    from ..data.series.panel import Panel
    from ..data.windows.windows import Windows
    from .forecasting import Forecaster

_BAD = ("This model loses", "The forecast copies", "The intervals of")

MOST_SPANS = 40
"""Series on the time line of the split: more would be a wall."""


def forecast_report(model: Forecaster) -> ForecastReport:
    """Gather what the report shows from a model that was fitted in this process."""
    data: Windows = cast("Any", model.data_)
    found: Rolling | None = getattr(model.task_.judge, "found_", None)
    if found is None or not hasattr(data, "panel_"):
        raise AttributeError("there is a report after a fit that could hold something out only")
    panel = data.panel_
    unit = f" ({panel.freq})" if panel.freq else ""
    return ForecastReport(
        title=f"Forecast of {model.horizon} steps{unit}",
        summary=model.summary_.sentences if model.summary_ else found.verdict,
        warnings=_warnings(found),
        seen=_seen(panel, model),
        spans=_spans(data, panel),
        curve=curve(model),
        quantiles=found.levels,
        windows=_windows(found, data),
        metric="MASE",
        steps={name: found.by_step(name) for name in found.points},
        figures=found.figures,
        coverage=found.coverage,
        baseline=_shown_baseline(found),
        configuration=configuration(model),
        provenance=model.provenance_,
    )


def _warnings(found: Rolling) -> tuple[str, ...]:
    ours = found.by_step(OURS)
    said = [s for s in found.verdict if s.startswith(_BAD)]
    for name in found.points:
        if name == OURS:
            continue
        lost = np.flatnonzero(found.by_step(name) < ours)
        if 0 < len(lost) < len(ours):
            steps = ", ".join(str(k + 1) for k in lost[:5]) + (", ..." if len(lost) > 5 else "")
            said.append(
                f"The {name} forecast is better at {len(lost)} of {len(ours)} steps: {steps}."
            )
    return tuple(said)


def _seen(panel: Panel, model: Forecaster) -> Seen:
    lengths = panel.lengths
    missing = sum(int((~np.isfinite(v)).sum()) for v in panel.values)
    ends = [str(panel.stamps(i, int(n) - 1, 1)[0])[:19] for i, n in enumerate(lengths)]
    starts = [str(panel.stamps(i, 0, 1)[0])[:19] for i in range(len(panel))]
    return Seen(
        source={"csv": "a CSV file", "parquet": "a Parquet file", "array": "arrays"}.get(
            panel.kind, f"a {panel.kind} frame"
        ),
        series=len(panel),
        points=int(lengths.sum()) - missing,
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
        freq=panel.freq,
        first=min(starts, key=_order),
        last=max(ends, key=_order),
        missing=missing / max(1, int(lengths.sum())),
        notes=tuple(panel.notes),
    )


def _order(text: str) -> tuple[int, str]:
    """Step numbers by size, stamps by text."""
    return (len(text), text) if text.lstrip("-").isdigit() else (0, text)


def _spans(data: Windows, panel: Panel) -> tuple[Span, ...]:
    step = max(1, -(-len(panel) // MOST_SPANS))
    return tuple(
        Span(
            str(panel.names[i]),
            panel.stamps(i, 0, 1)[0],
            panel.stamps(i, int(data.split_.train[i]), 1)[0],
            panel.stamps(i, int(data.split_.end[i]) - 1, 1)[0],
        )
        for i in range(0, len(panel), step)
    )


def _shown_baseline(found: Rolling) -> str | None:
    return "seasonal naive" if "seasonal naive" in found.points else "naive"


def _windows(found: Rolling, data: Windows) -> tuple[Window, ...]:
    """The best, the quartiles and the worst of the held-out windows."""
    error = found.by_window(OURS)
    order = np.argsort(np.where(np.isfinite(error), error, np.inf), kind="stable")
    order = order[np.isfinite(error[order])]
    if not len(order):
        return ()
    places = {
        "best": 0,
        "median": len(order) // 2,
        "worse than 3 in 4": (3 * len(order)) // 4,
        "worst": len(order) - 1,
    }
    baseline = _shown_baseline(found)
    shown, used = [], set()
    for standing, place in places.items():
        row = int(order[place])
        if row in used:
            continue
        used.add(row)
        known = found.histories[row][-max(3 * data.horizon, 2 * data.rhythm_.cycle) :]
        i = next(k for k, n in enumerate(data.panel_.names) if n == found.series[row])
        end = len(found.histories[row])
        shown.append(
            Window(
                str(found.series[row]),
                standing,
                float(error[row]),
                data.panel_.stamps(i, end - len(known), len(known) + data.horizon),
                known,
                found.actual[row],
                found.quantiles[OURS][row],
                found.points[baseline][row] if baseline else None,
            )
        )
    return tuple(shown)
