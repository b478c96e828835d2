"""What an estimator asks of a decoder, and a decoder of a network that it steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor, nn


class Decoder(Protocol):
    """Network and batch to an answer; how often it runs the network is its own affair."""

    def __call__(self, network: nn.Module, batch: Any) -> Any:
        """Answer a batch of `Data.encode`; no gradients, the network is in evaluation mode."""
        ...


@runtime_checkable
class Calibrated(Protocol):
    """A decoder that learns from held-out examples once the network is trained.

    A threshold, a temperature or the width of an interval is learned here. Where nothing was
    held out, `fit` is not called, and the decoder answers uncalibrated.
    """

    def fit(self, network: nn.Module, batches: Iterable[Any]) -> None:
        """Learn from the held-out batches; they may be gone through more than once."""
        ...

    def state(self) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
        """All that was learned: a part that JSON can hold, and tensors."""
        ...

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        ...


@runtime_checkable
class Steppable(Protocol):
    """A network that answers one step at a time, so that a search can choose the next input.

    The state is the network's own affair (encoder outputs, hidden and cell states); a search
    only hands it back, and picks rows of it when it drops, doubles or reorders hypotheses.
    """

    def start(self, batch: Any) -> Any:
        """State before the first step, one row per example."""
        ...

    def step(self, token: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Take one token per row (int64, [rows]); logits of the next ([rows, tokens]), state."""
        ...

    def select(self, state: Any, rows: Tensor) -> Any:
        """The state of these rows (int64), in this order, repeats allowed."""
        ...
