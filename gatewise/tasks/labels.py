"""What classifiers and regressors of sequences share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import train
from ..errors import InputError

if TYPE_CHECKING:
    from torch import nn

    from ..data.labels.labelled import Labelled
    from ..nn.networks.reading import Reading


STEPS = 1200
"""Steps of a fit, within the bounds on epochs."""

RATES = {"lstm": 5e-3, "lstm_fcn": 3e-3}
"""Learning rates for numbers."""

FINE_STEPS = 450
"""The same for an encoder that was learned elsewhere."""

FEWEST_EPOCHS, MOST_EPOCHS = 10, 150

MANY = 1000
"""From so many sequences on, batches are larger, and a fit may stop early."""


def sequence_network(
    model: Any, data: Labelled, outputs: int, middle: int | None = None
) -> nn.Module:
    """The network of a classifier or regressor (`middle` is the median's place), or several."""
    from ..data.labels.features import Texts
    from ..nn.networks.classifier import Reader, SequenceNetwork
    from ..train.ensemble import Ensemble

    reading: Reading = model.reading
    if data.borrowed is not None:
        from .transfer import transfer_network

        return transfer_network(data.borrowed, outputs, dropout=reading.dropout, middle=middle)  # pyright: ignore[reportArgumentType]
    features = data.features_
    words = len(features.vocabulary) if isinstance(features, Texts) else None
    pooling = reading.pooling if reading.pooling != "auto" else ("max" if words else "mean")

    def build() -> nn.Module:
        reader = Reader(
            None if words else len(features.columns),
            words,
            embedding_size=reading.embedding_size,
            input_noise=reading.input_noise,
            word_dropout=reading.word_dropout,
            dropout=reading.dropout,
        )
        return SequenceNetwork(
            model.encoder,
            outputs,
            reader,
            pooling=pooling,
            architecture=reading.architecture,
            dropout=reading.dropout,
            middle=middle,
        )

    return Ensemble.of(build, model.ensemble, seed=model.trainer.seed)


def training(data: Labelled, architecture: str) -> dict[str, Any]:
    """Training that suits the amount of data and its kind."""
    from ..data.labels.features import Texts

    count, _ = data.count_
    text = isinstance(data.features_, Texts)
    batch = 32 if text or count >= MANY else 16
    epochs = round(STEPS * batch / count)
    if data.borrowed is not None:
        from .transfer import FINE_TUNE

        epochs = min(max(round(FINE_STEPS * batch / count), FEWEST_EPOCHS), MOST_EPOCHS)
        return {**FINE_TUNE, "batch_size": batch, "max_epochs": epochs, "patience": 0}
    return {
        "lr": 2e-3 if text else RATES[architecture],
        "batch_size": batch,
        "max_epochs": min(max(epochs, FEWEST_EPOCHS), MOST_EPOCHS),
        # Where little is held out, one lucky epoch is no reason to stop.
        "patience": 5 if count >= MANY else 0,
        "weight_decay": 0.01,
        # The average of the weights has not the statistics of batch norm.
        "average": 0.0 if architecture == "lstm_fcn" else 0.99,
        "finish": 0.0 if text else 0.4,
    }


def check_settings(model: Any) -> None:
    """Refuse parameters that are out of range.

    Raises:
        InputError: One is.
    """
    smoothing = getattr(model, "label_smoothing", 0.0)
    number = isinstance(smoothing, int | float) and not isinstance(smoothing, bool)
    if not number or not 0 <= smoothing < 1:
        raise InputError(f"label_smoothing={smoothing!r}: give a number from 0 to below 1")
    for name in ("ensemble", "top_k"):
        value = getattr(model, name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name}={value!r}: give a whole number of at least 1")


def decoded(model: Any, x: Any) -> np.ndarray:
    """What the decoder says of new sequences, [sequences, classes or levels]."""
    dataset = model.data_.encode(x)
    size = model.trainer_.batch_size
    return np.concatenate(train.answers(model.network_, model.task_.decode, dataset, size))
