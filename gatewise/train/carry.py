"""A network's state that goes on from batch to batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..data.contract import Ordered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from ..data.contract import Dataset


@runtime_checkable
class Carries(Protocol):
    """A network that reads a stream window by window, and keeps its state in between.

    Gradients end where a window begins: truncated backpropagation through time (Williams & Peng
    1990, https://doi.org/10.1162/neco.1990.2.4.490). Where a stream starts anew within the batches,
    it is the batch that says so, and the network that starts those rows from nothing.
    """

    def carried(
        self, batch: Any, state: Mapping[str, Tensor] | None
    ) -> tuple[Any, Mapping[str, Tensor]]:
        """Answer a batch, going on from the state that the one before left.

        Args:
            batch: As in `forward`, which is this without a state.
            state: Tensors by name; None at the start.

        Returns:
            The output, and the state after the batch.
        """
        ...


class Reader:
    """Asks a network batch by batch, and hands its state on where the batches follow each other.

    Args:
        network: One that `Carries` its state, or any other.
        dataset: Whose batches it is asked about, in order; an `Ordered` one for a state to be
            handed on.

    Attributes:
        state: What the last batch left, cut off from its gradients; None at the start, and where
            nothing is handed on.
    """

    def __init__(self, network: nn.Module, dataset: Dataset) -> None:
        self._network = network
        self._carries = network if isinstance(network, Carries) else None
        self._follows = isinstance(dataset, Ordered)
        self.state: dict[str, Tensor] | None = None

    def __call__(self, batch: Any) -> Any:
        """Answer a batch."""
        if self._carries is None or not self._follows:
            return self._network(batch)
        output, state = self._carries.carried(batch, self.state)
        self.state = {name: part.detach() for name, part in state.items()}
        return output
