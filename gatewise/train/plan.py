"""The steps of a run before it is run: how many, on which examples, at which rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sampler import Sampler
from .schedule import factor

if TYPE_CHECKING:
    from torch import Tensor

    from ..data.contract import Dataset
    from .spec import Trainer


class Plan:
    """What follows from a resolved trainer and the number of examples.

    Args:
        dataset: Examples to fit on.
        trainer: Resolved.

    Attributes:
        total: Steps at most.
    """

    def __init__(self, dataset: Dataset, trainer: Trainer) -> None:
        assert trainer.batch_size is not None
        self._trainer = trainer
        self._sampler = Sampler(
            len(dataset),
            trainer.batch_size,
            trainer.epoch_examples or 0,
            dataset.lengths,
            seed=trainer.seed,
        )
        limits = (trainer.max_steps, (trainer.max_epochs or 0) * self._sampler.steps)
        self.total = min(limit for limit in limits if limit)

    def left(self, step: int) -> tuple[int, list[Tensor]]:
        """Number of the epoch that a step is in, from 0, and its batches from that step on."""
        number, done = divmod(step, self._sampler.steps)
        batches = self._sampler.epoch(number)
        return number, batches[done : self.total - number * self._sampler.steps]

    def within_epoch(self, step: int) -> bool:
        """Whether an epoch has begun and not ended after so many steps."""
        return step % self._sampler.steps != 0 and step < self.total

    def lr(self, step: int) -> float:
        """Learning rate of a step, from 0."""
        trainer = self._trainer
        assert trainer.lr is not None
        assert trainer.schedule is not None
        assert trainer.warmup is not None
        return trainer.lr * factor(trainer.schedule, step, self.total, trainer.warmup)
