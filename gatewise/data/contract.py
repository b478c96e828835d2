"""What a trainer and an estimator ask of a task's data part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import torch
    from torch import Tensor


class Dataset(Protocol):
    """Examples that are asked for by index; batches are made where they are needed.

    A batch is whatever the task's network and objective understand, usually a frozen
    dataclass of tensors. Randomness of examples (augmentation, negative samples) comes from
    the generator that is handed in, so that a resumed run draws what the first one would have.
    """

    def __len__(self) -> int:
        """Number of examples."""
        ...

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> Any:
        """Put the examples at `indices` (int64, [batch]) together; no generator, no randomness."""
        ...

    @property
    def lengths(self) -> Tensor | None:
        """Steps of each example (int64, [examples]) for bucketing; None when all are equal."""
        ...

    def where(self, index: int) -> str:
        """Name an example for a message: its series and time, its line, its file."""
        ...

    def culprit(self, index: int) -> str | None:
        """Say which column and step of an example holds a value that is not finite, if any."""
        ...


class Order(Protocol):
    """Which examples make up which batch, epoch after epoch; it follows from a seed."""

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        ...

    def epoch(self, number: int) -> Iterable[Tensor]:
        """Indices of each batch of an epoch, int64, the batch first."""
        ...


@runtime_checkable
class Ordered(Protocol):
    """A dataset that says in which order it is read: streams, window after window.

    Row k of a batch goes on where row k of the batch before it stopped, so that a network that
    `Carries` its state (`gatewise.train`) may keep it.
    """

    def order(self, batch_size: int, epoch_examples: int, seed: int) -> Order:
        """Cut the streams into batches.

        Args:
            batch_size: Streams side by side.
            epoch_examples: Examples of an epoch, about; 0 for all there are.
            seed: Of what is random in it.
        """
        ...

    def weight(self, indices: Tensor) -> float:
        """How much a batch counts beside one of the usual size, which counts 1."""
        ...


@dataclass(frozen=True)
class Fold:
    """What is fitted on, and what is held out from it: later in time, or other groups.

    Args:
        train: Examples to fit on.
        valid: Examples held out; None where there are too few to hold any out.
        whole: Everything, both parts together, to go on with once the model has been judged; None
            where that makes no sense.
        digest: Hash of the raw data (`gatewise.data.digest`), kept with the model and compared
            when a run is resumed; None to have one made from a sample of the examples.
    """

    train: Dataset
    valid: Dataset | None
    digest: str | None = None
    whole: Dataset | None = None


class Data(Protocol):
    """Raw input to examples; owns all that is learned from data, and knows how to undo it."""

    def fit(self, x: Any, y: Any = None) -> Fold:
        """Learn scales, vocabularies and labels from the part of (x, y) that is not held out."""
        ...

    def encode(self, x: Any) -> Dataset:
        """Turn new raw input into examples; learns nothing, remembers nothing."""
        ...

    def examples(self, x: Any, y: Any = None) -> Dataset:
        """Turn raw input with known answers into examples to be scored on; learns nothing."""
        ...

    def undo(self, dataset: Dataset, answers: Sequence[Any]) -> Any:
        """Turn decoded answers, one per batch of what `encode` gave, into the user's form."""
        ...

    def state(self) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
        """All that was learned: a part that JSON can hold, and tensors."""
        ...

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        ...
