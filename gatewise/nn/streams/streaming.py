"""What a layer needs to be run step by step: the one method that all such layers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from ...engines import Call
from ..inputs import check_one_way

if TYPE_CHECKING:
    from .stream import Stream


class Streaming:
    """A recurrent layer of which streams can be made."""

    bidirectional: bool

    def stream(self, batch: int = 1, state: Any = None, weights: str | None = None) -> Stream:
        """Make what runs the layer step by step in microseconds and keeps its state.

        It needs llvmlite and a layer on the processor. Its weights are those of now; see `Stream`.

        Args:
            batch: Sequences side by side.
            state: Where to start, as in a call with a batch.
            weights: In float32, `"bfloat16"` for half of the memory, or, for cells of one part,
                `"int8"` for a quarter of it; None for the layer's own.

        Raises:
            InputError: The layer is bidirectional, or an argument is not as above.
        """
        from .stream import Source, Stream

        check_one_way(self.bidirectional)
        source = Source(self._calls, self._start, self._given_state)
        return Stream(source, batch, state, weights)

    def _calls(self, batch: int) -> list[Call]:
        """What each layer asks of an engine for one step, in evaluation."""
        raise NotImplementedError

    def _start(self, state: Any, batch: int) -> tuple[Tensor, ...]:
        """The initial state, [num_layers, batch, features]."""
        raise NotImplementedError

    def _given_state(self, state: tuple[Tensor, ...]) -> Any:
        """A state in the form in which the layer gives its own."""
        raise NotImplementedError
