"""Language models for the benchmark of transfer: learned from many texts, tuned, or untaught."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gatewise import Encoder, Trainer
from gatewise.data import Tokens
from gatewise.nn.networks.language_spec import Regularization
from gatewise.tasks.language_model import LanguageModel

from .harness import Result

LARGE: dict[str, Any] = {
    "tokens": Tokens("word", lower=True, size=20_001),
    "embedding_size": 128,
    "window": 32,
    "holdout": 0.02,
    "regularization": Regularization(words=0.02, input=0.1, hidden=0.2, output=0.2),
    "encoder": Encoder(hidden_size=256, num_layers=2),
}
"""For a million words and more; with a vocabulary of this size the softmax comes in parts."""

LARGE_TRAINER: dict[str, Any] = {"lr": 4e-3, "batch_size": 32, "patience": 0}

SMALL: dict[str, Any] = {
    "tokens": Tokens("word", min_count=2),
    "tied": True,
    "embedding_size": 128,
    "window": 32,
    "regularization": Regularization(words=0.05, input=0.3, hidden=0.3, output=0.4),
    "encoder": Encoder(hidden_size=128, num_layers=2),
}
"""For the sentences alone."""

SMALL_TRAINER = Trainer(max_epochs=15, batch_size=32, patience=0)

TUNING: dict[str, Any] = {
    "window": 32,
    "regularization": Regularization(words=0.02, input=0.2, hidden=0.2, output=0.3),
    "trainer": Trainer(max_epochs=3, lr=1e-3, batch_size=16, patience=0),
}
"""For going on from texts to the sentences."""


class Models:
    """Fits language models into a folder, and takes those that are there already.

    Args:
        folder: Where they lie, by name.
        sentences: What classifiers are fitted on, without its labels.
        texts: What is read before them; none to learn from the sentences alone.
        epochs: How often that is read.
        result: Gets a row for each model that is fitted.
    """

    def __init__(
        self,
        folder: Path,
        sentences: Sequence[str],
        texts: Sequence[str],
        epochs: int,
        result: Result,
    ) -> None:
        self.folder, self.epochs, self.result = folder, epochs, result
        self.sentences, self.texts = list(sentences), list(texts)

    def learned(self, direction: Any) -> str:
        """Folder of a model that has read the texts, and then the sentences."""
        way = {"direction": direction}
        if not self.texts:
            alone = LanguageModel(**way, **SMALL, trainer=SMALL_TRAINER)
            return self._kept(f"sentences, {direction}", alone, self.sentences)
        trainer = Trainer(**LARGE_TRAINER, max_epochs=self.epochs)
        large = LanguageModel(**way, **LARGE, trainer=trainer)
        before = self._kept(f"texts, {direction}", large, self.texts)
        tuned = LanguageModel(**way, **TUNING, pretrained=before)
        return self._kept(f"texts and sentences, {direction}", tuned, self.sentences)

    def untaught(self, direction: Any) -> str:
        """Folder of a model of the same layers as it begins, with the sentences' vocabulary."""
        kind, still = LARGE if self.texts else SMALL, Trainer(max_steps=1, lr=1e-12)
        model = LanguageModel(direction=direction, **kind, trainer=still)
        return self._kept(f"nothing, {direction}", model, self.sentences)

    def _kept(self, name: str, model: LanguageModel, texts: list[str]) -> str:
        path = self.folder / name
        if not path.is_dir():
            started = time.perf_counter()
            model.fit(texts).save(path)
            table = model.summary_.table if model.summary_ else {}
            seconds = time.perf_counter() - started
            row = {"model": f"language model of {name}", **table["model"], "s": seconds}
            self.result.rows.append(row)
        return str(path)
