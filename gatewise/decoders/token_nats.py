"""What each token of a stream cost, in nats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..nn.networks.language import UNSCORED

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class TokenNats:
    """Surprise at each target of windows that follow one another.

    It keeps the network's state from a window to the next, and begins anew where a batch says that
    it is the first of its stream.
    """

    def __init__(self) -> None:
        self._state: dict[str, Tensor] | None = None

    def __call__(self, network: Any, batch: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Places of the scored tokens, and their nats."""
        output, self._state = network.carried(batch, None if batch.first else self._state)
        scored = batch.targets != UNSCORED
        return batch.places[scored].cpu().numpy(), output.nats[scored].cpu().numpy()
