"""A fitted detector as its report shows it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..inspection.events import Watched, events_chart
from ..inspection.task_report import TaskReport
from .anomaly_events import events_of
from .reporting import configuration, curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..data.readings.monitored import Monitored
    from ..data.readings.readings import Readings
    from ..decoders.alarms import Alarms, Scored
    from .anomaly import AnomalyDetector
    from .anomaly_events import Event

MOST_SERIES, MOST_CHANNELS, MOST_EVENTS = 6, 3, 20
"""Of what is drawn and listed."""


def anomaly_report(model: AnomalyDetector) -> TaskReport:
    """Gather what the report shows from a detector that was fitted in this process.

    Raises:
        AttributeError: It was loaded, so the readings that it learned from are not there.
    """
    data: Monitored = cast("Any", model.data_)
    if not hasattr(data, "readings_"):
        raise AttributeError("there is a report after a fit only: the readings are not saved")
    decode: Alarms = cast("Any", model.task_.decode)
    readings, scored = model._scored(data.readings_)
    events = events_of(readings, scored, decode.run)
    summary = model.summary_
    sentences = summary.sentences if summary else ()
    warned = tuple(s for s in sentences if s.startswith(("This model loses", "The threshold is")))
    return TaskReport(
        title=f"What is unusual: {len(readings)} series of {len(readings.channels)} channels",
        summary=sentences,
        figures=summary.table if summary else {},
        curve=curve(model),
        warnings=warned,
        lower_is_better=frozenset({"alarms_per_day", "alarms_per_1000"}),
        sections=(
            ("Events", _listed(events)),
            ("Series", _charts(data, readings, scored, events)),
            ("What is usual", _usual(data, decode)),
        ),
        configuration=configuration(model),
        provenance=model.provenance_,
    )


def _listed(events: Sequence[Event]) -> str:
    """The worst events as a table."""
    if not events:
        return "<p>None, neither where it was fitted nor in what was held out.</p>"
    worst = sorted(events, key=lambda e: -e.severity)[:MOST_EVENTS]
    rows = "".join(
        f"<tr><th scope='row'>{escape(str(e.series))}</th><td>{_time(e.start)}</td>"
        f"<td>{_time(e.end)}</td><td>{_time(e.peak)}</td><td>{e.severity:.2f}</td>"
        f"<td>{escape(_shares(e))}</td></tr>"
        for e in worst
    )
    more = f"<p>The worst {len(worst)} of {len(events)}.</p>" if len(events) > len(worst) else ""
    return (
        f"{more}<div class='wide'><table><thead><tr><th>series</th><th>from</th><th>to</th>"
        "<th>peak</th><th>severity</th><th>channels</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
        "<p>Severity is the highest score over the threshold. Events before the held-out part lie "
        "in what was learned from.</p>"
    )


def _charts(
    data: Monitored, readings: Readings, scored: Sequence[Scored], events: Sequence[Event]
) -> str:
    """The series with the worst events, drawn."""
    by_series: dict[Any, list[Event]] = {name: [] for name in readings.names}
    for event in events:
        by_series[event.series].append(event)
    worst = [max((e.severity for e in own), default=0.0) for own in by_series.values()]
    shown = np.argsort([-w for w in worst], kind="stable")[:MOST_SERIES]
    drawn = []
    for place, i in enumerate(shown.tolist()):
        name, own = readings.names[i], by_series[readings.names[i]]
        watched = Watched(
            str(name),
            np.arange(len(readings.values[i])) if readings.times is None else readings.times[i],
            _chosen(readings, i, scored[i], own),
            scored[i].score,
            scored[i].threshold,
            np.array([[e.first, e.last] for e in own], int).reshape(-1, 2),
            int(data.cut_[i]),
        )
        chart = events_chart(watched, f"events{place}")
        drawn.append(f"<figure><figcaption>{escape(str(name))}</figcaption>{chart}</figure>")
    return "<p>Events are shaded; what lies behind the vertical line was held out.</p>" + "\n".join(
        drawn
    )


def _chosen(
    readings: Readings, i: int, scored: Scored, events: Sequence[Event]
) -> dict[str, np.ndarray]:
    """The channels that had most to do with a series' events, or with its score."""
    weight = np.square(scored.channels).mean(0)
    if events:
        weight = np.mean([[e.channels[c] for c in readings.channels] for e in events], 0)
    ranked = np.argsort(-weight, kind="stable")[:MOST_CHANNELS]
    return {readings.channels[k]: readings.values[i][:, k] for k in ranked}


def _usual(data: Monitored, decode: Alarms) -> str:
    """What was learned of each channel, and the threshold."""
    center, unit = data.scale_of(None)
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{center[k]:.4g}</td><td>{unit[k]:.4g}</td>"
        f"<td>{decode.levels_[k] * unit[k]:.4g}</td></tr>"
        for k, name in enumerate(data.channels_)
    )
    follows = {
        "telemanom": "follows the recent scores",
        "surprise": f"is a chance of 10 to the power of -{decode.threshold_:.1f}",
    }.get(decode.method, f"is {decode.threshold_:.3f}, in usual errors")
    notes = "".join(f"<li>{escape(note)}</li>" for note in data.notes_)
    return (
        "<div class='wide'><table><thead><tr><th>channel</th><th>middle</th><th>spread</th>"
        f"<th>usual error</th></tr></thead><tbody>{rows}</tbody></table></div>"
        f"<p>Scores are smoothed over {decode.span} readings. The threshold {follows}.</p>"
        + (f"<ul class='notes'>{notes}</ul>" if notes else "")
    )


def _shares(event: Event) -> str:
    held = list(event.channels.items())[:MOST_CHANNELS]
    return ", ".join(f"{name} {share:.0%}" for name, share in held)


def _time(stamp: Any) -> str:
    if isinstance(stamp, np.datetime64):
        return str(stamp.astype("M8[s]")).replace("T", " ")
    return str(stamp)
