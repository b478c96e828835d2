"""A detector's figures beside those of simple scores, with labels and without."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..decoders.smoothing import smooth
from ..evaluation.anomaly_events import best_event_f1, event_scores
from ..evaluation.anomaly_injection import inject
from ..evaluation.anomaly_inputs import events
from ..evaluation.anomaly_points import auc_pr
from ..evaluation.anomaly_surprise import surprise
from ..evaluation.anomaly_volume import vus
from ..evaluation.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from ..data.readings.monitored import Monitored
    from ..data.readings.tracks import Track
    from ..decoders.alarms import Alarms, Scored

OURS = "model"

BESIDE = {"random": "random", "seasonal_naive": "seasonal naive", "pca": "PCA"}
"""Baselines that are shown, and how they are called."""

LONGEST_BUFFER = 100
"""Readings of the longest buffer around events in VUS, or a season where that is shorter."""

FAULTS = "made-up faults: "
"""How metrics begin that are not about real ones."""

MOST_FAULTY = 20
"""Series that faults are put into."""


class Measure:
    """Judge a detector.

    With labels, by how well scores tell what is labelled from the rest. Without, by the alarms
    that there were beside those that were promised, and by faults that are put into the readings.

    Args:
        data: The fitted data part, which holds the baselines.
    """

    def __init__(self, data: Monitored) -> None:
        self.data = data

    def __call__(self, network: nn.Module, decode: Alarms, dataset: Any) -> Verdict:
        """Give the table, the model's row first, and sentences about it."""
        tracks: tuple[Track, ...] = dataset.tracks
        scored = [decode.judge(decode.errors(network, track)) for track in tracks]
        alarms = [s.alarm[t.since :] for s, t in zip(scored, tracks, strict=True)]
        kept, promised = self._alarms(decode, alarms)
        labelled = [k for k, t in enumerate(tracks) if _has_both(t)]
        if labelled:
            chosen = [tracks[k] for k in labelled]
            longest = min(self.data.beat_.season, LONGEST_BUFFER)
            longest = longest if longest > 1 else decode.run
            table = self._table(decode, chosen, [scored[k] for k in labelled], longest)
            table[OURS] |= _at_threshold(chosen, [alarms[k] for k in labelled])
            prefix, metric = "", "vus_pr"
        else:
            length = max(4, decode.run // 2)
            faulty = [_faulty(t, length) for t in tracks[:MOST_FAULTY]]
            faulty = [t for t in faulty if t is not None]
            found = [decode.judge(decode.errors(network, t)) for t in faulty]
            table = self._table(decode, faulty, found, length) if faulty else {OURS: {}}
            table = {n: {FAULTS + m: v for m, v in row.items()} for n, row in table.items()}
            prefix, metric = FAULTS, FAULTS + "vus_pr"
        table[OURS] |= kept
        said = [*promised, *_compared(table, metric, prefix)]
        if decode.memory:
            said.append("What is usual adapts to what comes; stream.reset() takes that back.")
        return Verdict(table, tuple(said))

    def _table(
        self, decode: Alarms, tracks: Sequence[Track], scored: Sequence[Scored], longest: int
    ) -> dict[str, dict[str, float]]:
        """Figures of the model and of the baselines, each told alike, means over series."""
        rows: dict[str, list[dict[str, float]]] = {OURS: []}
        for track, ours in zip(tracks, scored, strict=True):
            scores = {OURS: ours.score} | self._simple(track, decode)
            labels = np.asarray(track.labels)[track.since :]
            for name, score in scores.items():
                rows.setdefault(name, []).append(_figures(labels, score[track.since :], longest))
        return {name: _means(held) for name, held in rows.items()}

    def _simple(self, track: Track, decode: Alarms) -> dict[str, np.ndarray]:
        """What simple scores say of a track, smoothed or surprising as ours are."""
        found = {}
        values = track.target.cpu().numpy()
        for name, called in BESIDE.items():
            if (scorer := self.data.baselines_.get(name)) is not None:
                raw = np.asarray(scorer.score(values), np.float64)
                even = smooth(raw[:, None], decode.span, raw[:1])[:, 0]
                found[called] = (
                    surprise(even, decode.quiet) if decode.method == "surprise" else even
                )
        return found

    def _alarms(
        self, decode: Alarms, alarms: Sequence[np.ndarray]
    ) -> tuple[dict[str, float], list[str]]:
        """How many alarms there were, and how many were promised."""
        steps = sum(map(len, alarms))
        raised = sum(_count(a, decode.run) for a in alarms)
        many = "was 1 alarm" if raised == 1 else f"were {raised} alarms"
        day = self.data.beat_.per_day
        wanted = steps / decode.interval
        length = f"{steps / day:.3g} days" if day else f"{steps} readings"
        said = [f"In {length} there {many}; by chance alone it would be {wanted:.2g}."]
        if decode.method in ("pot", "surprise") and wanted < 1:
            every = decode.interval / day if day else decode.interval
            unit = "days" if day else "readings"
            said.append(
                f"The threshold is extrapolated to one in {every:.3g} {unit}: trust it less than "
                "one from readings that are as many."
            )
        if day:
            return {"alarms_per_day": raised / steps * day}, said
        return {"alarms_per_1000": 1000 * raised / steps}, said


def _figures(labels: np.ndarray, score: np.ndarray, longest: int) -> dict[str, float]:
    areas = vus(labels, score, longest)
    return {
        "vus_pr": areas.pr,
        "vus_roc": areas.roc,
        "auc_pr": auc_pr(labels, score),
        "event_f1": best_event_f1(labels, score).f1,
    }


def _at_threshold(tracks: Sequence[Track], alarms: Sequence[np.ndarray]) -> dict[str, float]:
    """Precision and recall of events at the threshold that is in use."""
    found = [
        event_scores(np.asarray(t.labels)[t.since :], a)
        for t, a in zip(tracks, alarms, strict=True)
    ]
    return {
        "event_precision": statistics.fmean(f.precision for f in found),
        "event_recall": statistics.fmean(f.recall for f in found),
    }


def _faulty(track: Track, length: int) -> Track | None:
    """A track with made-up faults in the part that counts; None where there is no room."""
    values = track.target.cpu().numpy().copy()
    made = inject(values[track.since :], length)
    if not made.kinds or made.labels.all():
        return None
    values[track.since :] = made.values
    labels = np.concatenate([np.zeros(track.since, np.int64), made.labels])
    device = track.inputs.device
    other = replace(track, inputs=track.inputs.cpu(), labels=labels).holding(values)
    return replace(other, inputs=other.inputs.to(device), target=other.target.to(device))


def _compared(table: Mapping[str, Mapping[str, float]], metric: str, prefix: str) -> list[str]:
    """Say where a simple score does better."""
    ours = table[OURS].get(metric)
    if ours is None:
        return []
    better = [n for n, row in table.items() if n != OURS and row.get(metric, 0.0) > ours]
    what = "made-up faults" if prefix else "what is labelled"
    if better:
        return [
            f"This model loses to {' and '.join(better)} at {what} (VUS-PR {ours:.3f}): use that, "
            "or give more readings."
        ]
    return [f"No simple score does better at {what} (VUS-PR {ours:.3f})."]


def _has_both(track: Track) -> bool:
    labels = None if track.labels is None else np.asarray(track.labels)[track.since :]
    return labels is not None and 0 < labels.sum() < len(labels)


def _count(alarm: np.ndarray, run: int) -> int:
    """Alarms, where those with fewer than `run` readings between them are one."""
    runs: Any = events(alarm)
    if not len(runs):
        return 0
    return 1 + int((runs[1:, 0] - runs[:-1, 1] > run).sum())


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {metric: statistics.fmean(row[metric] for row in rows) for metric in rows[0]}
