"""Sequences with one answer each: the data part of classifiers and regressors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ...evaluation.label_baselines import Baselines, FromBags, FromMoments
from ..contract import Fold
from ..sequences.columns_spec import SequenceColumns
from ..sequences.holdout import Holdout
from ..sequences.reading import answer, read_sequences
from ..sequences.sequences import Sequences
from ..text.borrows import Borrows
from ..text.tokens_spec import Tokens
from .answers import Classes, Measures
from .batches import LabelSet
from .features import Numbers, Texts


class Labelled:
    """Sequences to batches; learns the scale or vocabulary and the labels.

    Args:
        answers: `Classes()` or `Measures(...)`: what an answer is.
        columns: Which columns of a table mean what.
        tokens: What texts are cut into.
        holdout: What is held out.
        gap_channel: Whether an irregular time gap is a channel of its own, rather than given to
            the cell.
        seed: Of the part that is held out.
        borrowed: What is taken from elsewhere for texts; None to learn everything here.

    Attributes:
        features_: `Numbers` or `Texts`.
        answers_: What was learned of the answers.
        baselines_: Fitted on the same part as the network.
        count_: Sequences to fit on, and their steps.
        valid_: What was held out in this process, for the report.
    """

    features_: Numbers | Texts
    baselines_: Baselines
    count_: tuple[int, int]
    valid_: LabelSet | None = None

    def __init__(
        self,
        answers: Classes | Measures,
        *,
        columns: SequenceColumns | None = None,
        tokens: Tokens | None = None,
        holdout: Holdout | None = None,
        gap_channel: bool = True,
        seed: int = 0,
        borrowed: Borrows | None = None,
    ) -> None:
        self.answers_, self.borrowed = answers, borrowed
        self.columns, self.tokens = columns or SequenceColumns(), tokens or Tokens()
        self.holdout, self.gap_channel, self.seed = holdout or Holdout(), gap_channel, seed

    def accept(self, path: Any) -> Sequences:
        """Read a file ahead of the fit; what was guessed is in its `notes`."""
        return read_sequences(path, columns=self.columns)

    def fit(self, x: Any, y: Any = None) -> Fold:
        """Learn scale or vocabulary, labels and baselines from what is not held out."""
        sequences = read_sequences(x, y, columns=self.columns)
        _refuse_empty(sequences)
        if sequences.labels is None:
            raise InputError(
                "there are no labels to learn; hand them over as y, add a column called label, or "
                "name the one that holds them with label (--label)"
            )
        strata = self.answers_.check(sequences)
        train, valid = self.holdout.part(sequences, self.seed, strata)
        fitted = sequences.take(train)
        self.answers_.fit(fitted)
        if fitted.is_text:
            vocabulary = self.borrowed.vocabulary() if self.borrowed else None
            self.features_ = Texts(self._tokens(sequences), vocabulary).fit(fitted)
        elif self.borrowed:
            raise InputError("pretrained is given, and these are numbers: leave it out")
        else:
            self.features_ = Numbers().fit(fitted, gap_channel=self.gap_channel)
        parts, labels = self.features_.parts(fitted), self.answers_.encode(fitted)
        look = FromMoments()
        if isinstance(self.features_, Texts):
            look = FromBags(len(self.features_.vocabulary))
        self.baselines_ = self.answers_.baselines(look, parts, labels.numpy())
        self.count_ = (len(parts), sum(map(len, parts)))
        examples = self._set(fitted)
        if not len(valid):
            return Fold(examples, None, sequences.digest())
        self.valid_ = self._set(sequences.take(valid))
        return Fold(examples, self.valid_, sequences.digest(), self._set(sequences))

    def encode(self, x: Any) -> LabelSet:
        """Turn new sequences into examples."""
        sequences = read_sequences(x, columns=self.columns, known=self.answers_.known)
        _refuse_empty(sequences)
        return self._set(sequences, labelled=False)

    def examples(self, x: Any, y: Any = None) -> LabelSet:
        """Turn sequences with known labels into examples to be scored on."""
        sequences = read_sequences(x, y, columns=self.columns, known=self.answers_.known)
        _refuse_empty(sequences)
        if sequences.labels is None:
            raise InputError(
                "there are no labels to compare with; hand them over as y, or add the column of "
                "labels"
            )
        return self._set(sequences)

    def undo(self, dataset: LabelSet, answers: Sequence[np.ndarray]) -> Any:
        """Turn probabilities or quantiles into the user's labels, in the form of the question."""
        assert dataset.source is not None
        return answer(dataset.source, self.answers_.columns(np.concatenate(answers)))

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        settings, arrays = self.baselines_.state()
        held = {
            "text": isinstance(self.features_, Texts),
            "features": self.features_.state(),
            "answers": self.answers_.state(),
            "baselines": settings,
            "count": list(self.count_),
            "borrowed": self.borrowed.state() if self.borrowed else None,
        }
        return held, {name: torch.from_numpy(array) for name, array in arrays.items()}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        kind = Texts if settings["text"] else Numbers
        self.features_ = kind.restored(settings["features"])
        self.answers_.restore(settings["answers"])
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        self.baselines_ = Baselines.restored(settings["baselines"], arrays)
        self.count_ = tuple(settings["count"])
        if self.borrowed:
            self.borrowed.restore(settings["borrowed"])

    def _set(self, sequences: Sequences, *, labelled: bool = True) -> LabelSet:
        parts = self.features_.parts(sequences)
        return LabelSet(
            parts,
            [sequences.said(i) for i in range(len(sequences))],
            self.answers_.encode(sequences) if labelled else None,
            self.features_.gaps(sequences),
            self.features_.columns,
            sequences,
            torch.from_numpy(self.baselines_.linear(parts).astype(np.float32)),
        )

    def _tokens(self, sequences: Sequences) -> Tokens:
        """Letters of a FASTA file are no words."""
        return (
            Tokens("char") if sequences.kind == "fasta" and self.tokens == Tokens() else self.tokens
        )


def _refuse_empty(sequences: Sequences) -> None:
    parts = [text.strip() for text in sequences.texts or ()] or sequences.values or ()
    empty = next((i for i, part in enumerate(parts) if not len(part)), None)
    if empty is not None:
        raise InputError(f"{sequences.said(empty)} is empty; drop it or fill it")
