"""What the answer to a sequence is: one of some classes, or a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import InputError
from ...evaluation.label_baselines import Baselines, Features, class_baselines, measure_baselines
from .batches import MISSING

if TYPE_CHECKING:
    from ..sequences.sequences import Sequences


class Classes:
    """Labels to numbers and back.

    Args:
        top_k: Classes to answer with, the likeliest first.

    Attributes:
        classes: The labels, sorted.
        counts: Examples of each in what was fitted on.
        notes: What a user should know of them.
    """

    def __init__(self, top_k: int = 1) -> None:
        self.top_k = top_k
        self.classes: list[Any] = []
        self.counts: list[int] = []
        self.notes: list[str] = []

    @property
    def known(self) -> Collection[str]:
        """The labels as text."""
        return {label_key(c) for c in self.classes}

    @property
    def array(self) -> np.ndarray:
        """The labels, sorted, in an array of their own type."""
        return np.array(self.classes)

    def check(self, sequences: Sequences) -> np.ndarray:
        """Look at all labels before anything is learned; give each example's class as a number.

        Raises:
            InputError: A label is missing, or they do not part the sequences into classes.
        """
        labels = _complete(sequences)
        counts = Counter(label_key(v) for v in labels)
        if len(counts) < 2:
            raise InputError(
                f"every sequence has the label {labels[0]!r}, and there is nothing to tell apart: "
                "give sequences of at least two classes"
            )
        if max(counts.values()) == 1:
            measured = all(isinstance(v, int | float) for v in labels)
            use = "use a SequenceRegressor for numbers" if measured else "check the label column"
            raise InputError(
                f"every label occurs once ({len(counts)} labels on {len(labels)} sequences), and "
                f"no class can be learned from that: {use}"
            )
        places = {key: i for i, key in enumerate(counts)}
        return np.array([places[label_key(v)] for v in labels], dtype=np.int64)

    def fit(self, sequences: Sequences) -> None:
        """Learn which classes there are."""
        counts: Counter[Any] = Counter()
        values: dict[str, Any] = {}
        for value in _complete(sequences):
            values.setdefault(label_key(value), _plain(value))
            counts[label_key(value)] += 1
        one_kind = len({type(v) for v in values.values()}) == 1
        keys = sorted(values, key=lambda k: values[k] if one_kind else k)
        if len(keys) < 2:
            raise InputError(
                f"all that is left to fit on has the label {keys[0]!r}; hold out less, or by label "
                "(--holdout.by label)"
            )
        self.classes, self.counts = [values[k] for k in keys], [counts[k] for k in keys]
        once = [str(values[k]) for k in keys if counts[k] == 1]
        self.notes = []
        if once:
            shown = ", ".join(once[:5]) + (", ..." if len(once) > 5 else "")
            verb = "labels occur" if len(once) > 1 else "label occurs"
            self.notes.append(
                f"{len(once)} {verb} once and cannot be held out: {shown}; the figures do not tell "
                "how well they are found."
            )

    def encode(self, sequences: Sequences) -> torch.Tensor:
        """Number of each sequence's class, int64; `MISSING` for one that was never seen."""
        places = {label_key(c): i for i, c in enumerate(self.classes)}
        found = [places.get(label_key(v), MISSING) for v in _complete(sequences)]
        return torch.tensor(found, dtype=torch.int64)

    def columns(self, probabilities: np.ndarray) -> dict[str, np.ndarray]:
        """Labels and their probabilities, the likeliest first.

        Args:
            probabilities: [sequences, classes].
        """
        ranked = np.argsort(-probabilities, 1, kind="stable")[:, : self.top_k]
        chosen = np.take_along_axis(probabilities, ranked, 1)
        names = self.array
        found: dict[str, np.ndarray] = {}
        for place in range(ranked.shape[1]):
            after = f"_{place + 1}" if place else ""
            found[f"label{after}"] = names[ranked[:, place]]
            found[f"probability{after}"] = chosen[:, place]
        return found

    def baselines(
        self, look: Features, parts: Sequence[np.ndarray], labels: np.ndarray
    ) -> Baselines:
        """Fit what a sceptic would try first."""
        return class_baselines(look, parts, labels, len(self.classes))

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        return {"classes": self.classes, "counts": self.counts, "notes": self.notes}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        self.classes, self.counts = list(state["classes"]), list(state["counts"])
        self.notes = list(state["notes"])


class Measures:
    """Numbers to units of their deviation and back.

    Args:
        levels: Quantiles to answer with, increasing, 0.5 among them.

    Attributes:
        mean: Of the numbers that were fitted on.
        unit: Their deviation.
    """

    known: Collection[str] | None = None

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self.mean, self.unit = 0.0, 1.0
        self.notes: list[str] = []

    def check(self, sequences: Sequences) -> np.ndarray | None:
        """Look at all numbers before anything is learned.

        Raises:
            InputError: One is missing or no number, or they are all the same.
        """
        values = self._values(sequences)
        if (values == values[0]).all():
            raise InputError(
                f"every sequence has the answer {values[0]:g}, and there is nothing to learn: "
                "check the label column"
            )
        # A fifth of low, ..., high answers each: what is held out should cover the range.
        ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        return ranks * 5 // len(values)

    def fit(self, sequences: Sequences) -> None:
        """Learn their mean and deviation."""
        values = self._values(sequences)
        self.mean, self.unit = float(values.mean()), float(values.std()) or 1.0

    def encode(self, sequences: Sequences) -> torch.Tensor:
        """Numbers in units of their deviation, float32 [sequences]."""
        scaled = (self._values(sequences) - self.mean) / self.unit
        return torch.from_numpy(scaled.astype(np.float32))

    def decoded(self, scaled: np.ndarray) -> np.ndarray:
        """Numbers in their own units."""
        return self.mean + self.unit * scaled

    def columns(self, quantiles: np.ndarray) -> dict[str, np.ndarray]:
        """The median and the quantiles, in their own units.

        Args:
            quantiles: [sequences, levels].
        """
        own = self.decoded(quantiles)
        named = {f"q{level:g}": own[:, k] for k, level in enumerate(self.levels)}
        return {"prediction": own[:, self.levels.index(0.5)], **named}

    def baselines(
        self, look: Features, parts: Sequence[np.ndarray], labels: np.ndarray
    ) -> Baselines:
        """Fit what a sceptic would try first."""
        return measure_baselines(look, parts, labels)

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        return {"mean": self.mean, "unit": self.unit}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        self.mean, self.unit = state["mean"], state["unit"]

    def _values(self, sequences: Sequences) -> np.ndarray:
        labels = _complete(sequences)
        found = np.empty(len(labels))
        for index, label in enumerate(labels):
            try:
                found[index] = float(label)
            except (TypeError, ValueError):
                raise InputError(
                    f"{sequences.said(index)} has the answer {label!r}, which is no number; "
                    "correct it, or use a SequenceClassifier for classes"
                ) from None
            if not np.isfinite(found[index]):
                raise InputError(f"{sequences.said(index)} has the answer {label!r}; correct it")
        return found


def label_key(label: Any) -> str:
    """A label as text, the same for 1, 1.0 and "1".

    Example:
        >>> label_key(1.0), label_key("1"), label_key("up")
        ('1', '1', 'up')
    """
    plain = _plain(label)
    return str(int(plain)) if isinstance(plain, float) and plain.is_integer() else str(plain)


def _plain(label: Any) -> Any:
    """A label that JSON can hold."""
    label = label.item() if isinstance(label, np.generic) else label
    return label if isinstance(label, str | int | float | bool) else str(label)


def _complete(sequences: Sequences) -> np.ndarray:
    labels = sequences.labels
    assert labels is not None
    missing = next((i for i, v in enumerate(labels) if v is None or v != v), None)
    if missing is not None:
        raise InputError(f"{sequences.said(missing)} has no label; add one, or drop the sequence")
    return labels
