"""What a trainer asks of an objective."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


class Objective(Protocol):
    """Output and batch to a loss. It holds no weights: what is learned lives in the network."""

    def __call__(self, output: Any, batch: Any) -> Tensor:
        """Mean loss of the batch's examples, a scalar; missing answers are masked out."""
        ...


@runtime_checkable
class Scored(Protocol):
    """An objective that is judged by another number than its loss, such as accuracy.

    The score decides when to stop and which weights to keep, and is what `Estimator.score`
    gives; without one, that is the loss, negated.
    """

    @property
    def score_name(self) -> str:
        """What the number is called beside a progress bar: "accuracy"."""
        ...

    def score(self, output: Any, batch: Any) -> Tensor:
        """Mean score of the batch's examples, a scalar; higher is better."""
        ...
