"""Sequences without answers, to be told by vectors: the data part of autoencoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import InputError
from ...evaluation.sequence_pca import SequencePCA
from ..contract import Fold
from ..sequences.columns_spec import SequenceColumns
from ..sequences.holdout import Holdout
from ..sequences.reading import answer, read_sequences
from .batches import LabelSet
from .features import Numbers

if TYPE_CHECKING:
    from torch import Tensor

    from ..sequences.sequences import Sequences

LONGEST_GRID = 128
"""Steps that sequences are stretched to at most."""


class EmbeddedSequences:
    """Sequences to batches; learns the scale, the usual length and the principal components.

    Labels are read where there are some, for maps and for what is retrieved; nothing is learned
    from them.

    Args:
        code_size: Features of a vector.
        columns: Which columns of a table mean what.
        holdout: What is held out.
        seed: Of the part that is held out.

    Attributes:
        features_: Scale of the channels.
        pca_: Components of the training sequences in that scale.
        usual_length_: Median length of the training sequences.
        count_: Sequences to fit on.
        held_: What was held out of the fit, or all of it; None after `restore`.
    """

    features_: Numbers
    pca_: SequencePCA
    usual_length_: int
    count_: int

    def __init__(
        self,
        code_size: int,
        *,
        columns: SequenceColumns | None = None,
        holdout: Holdout | None = None,
        seed: int = 0,
    ) -> None:
        self.code_size, self.seed = code_size, seed
        self.columns, self.holdout = columns or SequenceColumns(), holdout or Holdout()
        self.held_: LabelSet | None = None

    def accept(self, path: Any) -> Sequences:
        """Read a file ahead of the fit; what was guessed is in its `notes`."""
        return self._read(path)

    def fit(self, x: Any, y: Any = None) -> Fold:
        """Learn scale and components from what is not held out."""
        sequences = self._read(x, y)
        train, valid = self.holdout.part(sequences, self.seed)
        fitted = sequences.take(train)
        self.features_ = Numbers().fit(fitted)
        self.usual_length_ = int(np.median(fitted.lengths))
        self.count_ = len(fitted)
        fold = Fold(
            self._set(fitted),
            self._set(sequences.take(valid)) if len(valid) else None,
            sequences.digest(),
            self._set(sequences) if len(valid) else None,
        )
        grid = min(max(self.usual_length_, 2), LONGEST_GRID)
        self.pca_ = SequencePCA.fit(self.values(fold.train), self.code_size, grid)
        self.held_ = fold.valid if fold.valid is not None else fold.train  # pyright: ignore[reportAttributeAccessIssue]
        return fold

    def encode(self, x: Any) -> LabelSet:
        """Turn new sequences into examples."""
        return self._set(self._read(x))

    def examples(self, x: Any, y: Any = None) -> LabelSet:
        """Turn sequences into examples; their labels, if any, are what is retrieved."""
        return self._set(self._read(x, y))

    def undo(self, dataset: LabelSet, answers: Sequence[np.ndarray]) -> Any:
        """Vectors [sequences, code] for arrays; columns v0, v1, ... beside the series' names."""
        codes = np.concatenate(answers)
        assert dataset.source is not None
        if dataset.source.kind in ("array", "list"):
            return codes
        columns = {f"v{k}": column for k, column in enumerate(codes.T)}
        return answer(dataset.source, columns)

    def unscaled(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Values in the user's units, float32 [steps, channels] each."""
        mean, std = self.features_.mean, self.features_.std
        return [(part * std + mean).astype(np.float32) for part in parts]

    def values(self, dataset: Any) -> list[np.ndarray]:
        """The scaled channels of each sequence, [steps, channels]; 0 where missing."""
        return [part[:, : self.channels] for part in _parts(dataset)]

    def seen(self, dataset: LabelSet) -> list[np.ndarray]:
        """1 where a value was observed, 0 elsewhere, [steps, channels] each."""
        masked = list(self.features_.masked)
        found = []
        for part in _parts(dataset):
            seen = np.ones((len(part), self.channels), np.float32)
            seen[:, masked] = part[:, self.channels : self.channels + len(masked)]
            found.append(seen)
        return found

    @property
    def channels(self) -> int:
        """Channels that are reconstructed."""
        return len(self.features_.channels)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        settings = {
            "features": self.features_.state(),
            "usual_length": self.usual_length_,
            "count": self.count_,
            "grid": self.pca_.grid,
        }
        arrays = {"mean": self.pca_.mean, "components": self.pca_.components}
        return settings, {name: torch.from_numpy(array) for name, array in arrays.items()}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.features_ = Numbers.restored(settings["features"])
        self.usual_length_, self.count_ = settings["usual_length"], settings["count"]
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        self.pca_ = SequencePCA(arrays["mean"], arrays["components"], settings["grid"])

    def _read(self, x: Any, y: Any = None) -> Sequences:
        sequences = read_sequences(x, y, columns=self.columns)
        if sequences.is_text:
            raise InputError("an autoencoder takes sequences of numbers, and these are texts")
        empty = np.flatnonzero(sequences.lengths == 0)
        if len(empty):
            raise InputError(f"{sequences.said(int(empty[0]))} is empty; drop it or fill it")
        return sequences

    def _set(self, sequences: Sequences) -> LabelSet:
        return LabelSet(
            self.features_.parts(sequences),
            [sequences.said(i) for i in range(len(sequences))],
            None,
            None,
            self.features_.columns,
            sequences,
        )


def _parts(dataset: LabelSet) -> list[np.ndarray]:
    ends = np.cumsum(dataset.lengths.numpy())
    return np.split(dataset.flat.numpy(), ends[:-1])
