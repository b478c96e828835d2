"""What an autoencoder of sequences answers, and how it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import train
from ..errors import InputError
from ..evaluation.retrieval import neighbour_accuracy
from ..evaluation.verdict import Verdict

if TYPE_CHECKING:
    from torch import nn

    from ..data.labels.batches import LabelSet
    from ..data.labels.embedded import EmbeddedSequences

ASKED_AT_ONCE = 256

CLOSE = 0.02
"""Share of PCA's error by which a model has to be better to be called that."""

BATCH, FEWEST_STEPS, MOST_STEPS, ROUNDS = 16, 1500, 6000, 60


def training(count: int) -> dict[str, Any]:
    """Training that suits the number of sequences; docs/log.md has the experiments.

    Example:
        >>> training(40)["max_steps"], training(100_000)["max_steps"]
        (1500, 6000)
    """
    steps = min(max(30 * count // BATCH, FEWEST_STEPS), MOST_STEPS)
    return {
        "lr": 4e-3,
        "batch_size": BATCH,
        "max_steps": steps,
        "epoch_examples": BATCH * (steps // ROUNDS),
        "patience": 20,
        "weight_decay": 0.01,
        "average": 0.99,
        "finish": 0.4,
    }


def codes(model: Any, x: Any) -> np.ndarray:
    """The vector of each sequence."""
    dataset = model.data_.encode(x)
    found = train.answers(model.network_, model.task_.decode, dataset, ASKED_AT_ONCE)
    return np.concatenate(found)


def unfolded(model: Any, vectors: Any, lengths: int | Sequence[int] | None) -> list[np.ndarray]:
    """Sequences from vectors, in the user's units."""
    import torch

    found = np.asarray(vectors, dtype=np.float32)
    if found.ndim != 2 or found.shape[1] != model.code_size or not np.isfinite(found).all():
        raise InputError(
            f"vectors has shape {found.shape}; give finite numbers, [sequences, {model.code_size}]"
        )
    asked = np.asarray(model.data_.usual_length_ if lengths is None else lengths)
    steps = np.full(len(found), asked) if asked.ndim == 0 else asked
    if steps.shape != (len(found),) or steps.dtype.kind not in "iu" or (steps < 1).any():
        raise InputError(
            f"lengths is {lengths!r}; give a whole number of at least 1 for each of the "
            f"{len(found)} vectors, or one for all"
        )
    network = model.network_
    if not len(found):
        return []
    device = next(network.parameters()).device
    with train.frozen(network), torch.no_grad():
        code = torch.from_numpy(found).to(device)
        each = torch.from_numpy(steps.astype(np.int64)).to(device)
        written = network.decode(code, int(steps.max()), each).cpu().numpy()
    return model.data_.unscaled([w[:n] for w, n in zip(written, steps.tolist(), strict=True)])


def reconstructed(model: Any, x: Any) -> list[np.ndarray]:
    """Sequences as their vectors give them back, in the user's units."""
    return model.data_.unscaled(written(model.network_, model.data_.encode(x)))


class ReconstructionMeasure:
    """Errors in deviations of the channels, squared, beside those of PCA and the mean sequence.

    Where the sequences have labels, "retrieval" is how often a sequence's nearest neighbour,
    among the others that it is judged with, has the same.

    Args:
        data: The fitted data part.

    Attributes:
        held_: Vectors and reconstructions of what was held out, as they were when the fit was
            judged; None before that.
    """

    def __init__(self, data: EmbeddedSequences) -> None:
        self.data = data
        self.held_: tuple[np.ndarray, list[np.ndarray]] | None = None

    def __call__(self, network: nn.Module, decode: Any, dataset: Any) -> Verdict:
        """Judge a network on sequences."""
        data = self.data
        values, seen, back = data.values(dataset), data.seen(dataset), written(network, dataset)
        known, lengths = data.pca_.encode(values), dataset.lengths.tolist()
        vectors = np.concatenate(train.answers(network, decode, dataset, ASKED_AT_ONCE))
        if dataset is data.held_:
            self.held_ = vectors, back
        table = {
            "model": {"mse": _error(values, seen, back)},
            "pca": {"mse": _error(values, seen, data.pca_.decode(known, lengths))},
            "mean": {"mse": _error(values, seen, data.pca_.decode(0 * known, lengths))},
        }
        if (labels := _labels(dataset)) is not None:
            table["model"]["retrieval"] = neighbour_accuracy(vectors, labels)
            table["pca"]["retrieval"] = neighbour_accuracy(known, labels)
        return Verdict(table, (_compared(table),))

    def shown(self, network: nn.Module, decode: Any) -> tuple[np.ndarray, list[np.ndarray]]:
        """Vectors and reconstructions for a report; of the training part if all was fitted on."""
        if self.held_ is None:
            self(network, decode, self.data.held_)
        assert self.held_ is not None
        return self.held_


def _compared(table: dict[str, dict[str, float]]) -> str:
    own, pca = table["model"]["mse"], table["pca"]["mse"]
    shown = f"mean squared error {own:.4f} against {pca:.4f} of PCA with vectors of the same size"
    if own < (1 - CLOSE) * pca:
        return f"The model reconstructs better than PCA: {shown}."
    if own <= pca:
        return f"The model reconstructs hardly better than PCA: {shown}."
    return f"The model reconstructs NO better than PCA: {shown}; use that, or give it more data."


def _error(
    values: Sequence[np.ndarray], seen: Sequence[np.ndarray], written: Sequence[np.ndarray]
) -> float:
    each = [
        float(((v - w) ** 2 * s).sum() / max(float(s.sum()), 1.0))
        for v, s, w in zip(values, seen, written, strict=True)
    ]
    return float(np.mean(each))


def written(network: nn.Module, dataset: LabelSet) -> list[np.ndarray]:
    """Scaled sequences as their vectors give them back, [steps, channels] each."""
    from ..decoders.codes import Reconstructions

    answers = train.answers(network, Reconstructions(), dataset, ASKED_AT_ONCE)
    return [part for answer in answers for part in answer]


def _labels(dataset: LabelSet) -> np.ndarray | None:
    """Labels of which at least one occurs twice; others cannot be retrieved."""
    source = dataset.source
    if source is None or source.labels is None:
        return None
    labels = np.array([str(label) for label in source.labels], dtype=object)
    return labels if 1 < len(set(labels)) < len(labels) else None
