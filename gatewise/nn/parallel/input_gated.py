"""What layers share whose gates see the input alone, so that time can be run in parallel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..arguments import check_sizes
from ..inputs import check_one_way, checked_state, with_batch
from ..lengths import checked_lengths
from ..masks import inside, zeroed
from ..state import State, state_type
from ..weights import named, register

Weights = Mapping[str, Tensor]
States = tuple[Tensor, ...]


class InputGated(nn.Module):
    """Stacked layers, in one or both directions, of a recurrence whose gates see the input alone.

    A subclass says what its weights and states are and runs one layer in one direction. For a step
    that is not part of a sequence it must leave the state as it is.

    Attributes:
        states: The states' names.
        defaults: Arguments beside the sizes and what they are unless given, for `repr`.
        output_size: Features of the output.
    """

    states: ClassVar[tuple[str, ...]]
    defaults: ClassVar[dict[str, Any]] = {"num_layers": 1, "bidirectional": False, "dropout": 0.0}

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        check_sizes(sizes, dropout)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.output_size = 2 * hidden_size if bidirectional else hidden_size
        # For each layer and direction: a weight's own name to its name in this module.
        self._names: list[list[dict[str, str]]] = []

    def _weight_shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """Each weight's shape, for a layer whose input has so many features."""
        raise NotImplementedError

    def _state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Each state's shape for one sequence."""
        raise NotImplementedError

    def _initialize(self, weights: Weights) -> None:
        """Draw one layer's weights in one direction, in place."""
        raise NotImplementedError

    def _run(
        self, x: Tensor, weights: Weights, state: States, inside: Tensor | None
    ) -> tuple[Tensor, States]:
        """Run one layer forward in time.

        Args:
            x: Input, [batch, time, features].
            weights: The layer's, by their own names.
            state: Before the first step, each part [batch, ...].
            inside: Which steps are part of a sequence, [batch, time, 1]; None for all. Elsewhere
                the output may be anything finite.

        Returns:
            Outputs, [batch, time, hidden_size], and the state after the last step.
        """
        raise NotImplementedError

    def _register(self, device: torch.device | str | None, dtype: torch.dtype | None) -> None:
        """Make the weights; the last thing that a constructor does."""
        width = self.input_size
        for layer in range(self.num_layers):
            shapes = self._weight_shapes(width)
            suffixes = ("", "_reverse") if self.bidirectional else ("",)
            self._names.append([
                register(self, shapes, f"{{}}_l{layer}{suffix}", device, dtype)
                for suffix in suffixes
            ])  # fmt: skip
            width = self.output_size
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        with torch.no_grad():
            for layer in self._weights():
                for direction in layer:
                    self._initialize(direction)

    def forward(
        self,
        x: Tensor,
        state: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor, State]:
        """Run over a whole sequence.

        Args:
            x: Input, [batch, time, input] or [time, input].
            state: Initial state, by name or in order, each part [num_layers * directions, batch,
                ...] (without batch where `x` has none); zero by default.
            lengths: Steps of each sequence, [batch], from 0 to `time`; on any device.

        Returns:
            Outputs, [batch, time, output_size], zero past a sequence's end, and the state after
            each sequence's last step, by name.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        x, batched = self._batched(x, "[batch, time, input]")
        before = self._initial(state, x, batched)
        if lengths is None:
            y, last = self._layers(x, before)
        else:
            counts = checked_lengths(lengths, x)
            real = inside(counts, x.shape[1]).unsqueeze(-1)
            # What stands past the end may be anything, and 0 * nan would reach the gradients.
            y, last = self._layers(zeroed(x, counts), before, real)
            y = zeroed(y, counts)
        return (y, self._named(last)) if batched else (y[0], self._named(_first(last)))

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, State]:
        """Run one time step, for streams: as `forward` on the steps so far, with the state kept.

        Args:
            x: Input, [batch, input] or [input].
            state: State that the last step gave; nothing at the start.

        Returns:
            Output, [batch, output_size], and the new state.

        Raises:
            InputError: The layer is bidirectional, so it needs the future.
        """
        check_one_way(self.bidirectional)
        x, batched = self._batched(x, "[batch, input]")
        y, last = self._layers(x.unsqueeze(1), self._initial(state, x, batched))
        y = y[:, 0]
        return (y, self._named(last)) if batched else (y[0], self._named(_first(last)))

    def extra_repr(self) -> str:
        """The arguments that are not the defaults."""
        given = [str(self.input_size), str(self.hidden_size)]
        values = {name: getattr(self, name) for name in self.defaults}
        given += [f"{k}={v!r}" for k, v in values.items() if v != self.defaults[k]]
        return ", ".join(given)

    def _layers(
        self, x: Tensor, state: States, inside: Tensor | None = None
    ) -> tuple[Tensor, States]:
        """Run all layers; each part of the state is [layers * directions, batch, ...]."""
        rows = zip(*(part.unbind(0) for part in state), strict=True)
        ends: list[States] = []
        for layer, directions in enumerate(self._weights()):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout)
            outputs = []
            for weights, reverse in zip(directions, (False, True), strict=False):
                # Turned around, a sequence begins with what is not part of it: no step of that
                # changes the state.
                given, mask = (_turned(x), _turned(inside)) if reverse else (x, inside)
                y, end = self._run(given, weights, next(rows), mask)
                outputs.append(_turned(y) if reverse else y)
                ends.append(end)
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, -1)
        return x, tuple(torch.stack(parts) for parts in zip(*ends, strict=True))

    def _weights(self) -> list[list[dict[str, Tensor]]]:
        return [[named(self, names) for names in layer] for layer in self._names]

    def _batched(self, x: Tensor, axes: str) -> tuple[Tensor, bool]:
        return with_batch(x, self.get_parameter("weight_ih_l0"), axes)

    def _initial(self, state: Any, x: Tensor, batched: bool) -> States:
        rows = self.num_layers * (2 if self.bidirectional else 1)
        shapes = [(rows, x.shape[0], *shape) for shape in self._state_shapes()]
        if state is None:
            return tuple(x.new_zeros(shape) for shape in shapes)
        return checked_state(state, self.states, shapes, batched)

    def _named(self, state: States) -> State:
        return state_type(self.states)(*state)


def _first(state: States) -> States:
    """The state of the only sequence."""
    return tuple(part[:, 0] for part in state)


def _turned(x: Tensor | None) -> Any:
    return None if x is None else x.flip(1)
