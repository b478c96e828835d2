"""From one sequence to another of any other length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import InputError, nearest
from ..state import State
from .decoder_state import Decoded, DecoderState
from .initial_state import InitialState, started
from .recurrent_decoder import RecurrentDecoder

BRIDGES = ("dense", "copy", "none")
"""How the encoder's last state reaches the decoder."""

_NEEDED = ("input_size", "output_size", "bidirectional", "cell")


class EncoderDecoder(nn.Module):
    """An encoder reads a source, a decoder writes a target.

    Sutskever, Vinyals & Le 2014 (https://arxiv.org/abs/1409.3215) without attention; Bahdanau,
    Cho & Bengio 2015 (https://arxiv.org/abs/1409.0473) and Luong, Pham & Manning 2015
    (https://arxiv.org/abs/1508.04025) with it. It goes from features to features, so that it
    translates, forecasts and answers alike: embed tokens before it, and project its outputs to
    tokens after it. `start`, `step` and `select` are what a search asks of a network
    (`gatewise.decoders`), but for embedding and projection.

    The bridge is one of:

    - `"dense"`: the last layer's final state, of both directions, is mapped to the decoder's
      initial state, `tanh(V v + b)` for h and `W v + b` for c.
    - `"copy"`: the final state is the initial one; both must have the same form.
    - `"none"`: the decoder starts on its own, and knows the source by attention alone.

    Args:
        encoder: A `Recurrent`, `Stacked` or `PyramidRecurrent`, or what is called as they are.
        decoder: Its attention must be for a memory of `encoder.output_size` features.
        bridge: One of the three.

    Raises:
        InputError: The parts do not fit, or there is no such bridge.

    Example:
        >>> import torch
        >>> from gatewise.nn import AdditiveAttention, Recurrent
        >>> attention = AdditiveAttention(8, 12, 8)
        >>> model = EncoderDecoder(
        ...     Recurrent("lstm", 3, 6, bidirectional=True),
        ...     RecurrentDecoder("lstm", 4, 8, attention=attention, feeding="context"),
        ... )
        >>> source, target = torch.randn(2, 5, 3), torch.randn(2, 7, 4)
        >>> taught = model(source, target, source_lengths=[5, 2], target_lengths=[3, 7])
        >>> taught.output.shape, taught.weights.shape
        (torch.Size([2, 7, 8]), torch.Size([2, 7, 5]))
        >>> state = model.start(source, lengths=[5, 2])
        >>> output, state = model.step(target[:, 0], state)
        >>> torch.allclose(output, taught.output[:, 0], atol=1e-6)
        True
    """

    def __init__(self, encoder: Any, decoder: RecurrentDecoder, *, bridge: str = "dense") -> None:
        super().__init__()
        if bridge not in BRIDGES:
            raise InputError(
                f"bridge={bridge!r}: give one of these; {nearest(str(bridge), BRIDGES)}"
            )
        missing = [name for name in _NEEDED if not hasattr(encoder, name)]
        if missing:
            raise InputError(
                f"encoder={type(encoder).__name__} has no {', '.join(missing)}: give a Recurrent, "
                "Stacked or PyramidRecurrent, or a module with these attributes"
            )
        attention = decoder.attention
        if attention is not None and attention.memory_size != encoder.output_size:
            raise InputError(
                f"attention to a memory of {attention.memory_size} features: build it for the "
                f"encoder's output_size, {encoder.output_size}"
            )
        if attention is None and bridge == "none":
            raise InputError(
                "bridge='none' without attention: the decoder would know nothing of the source; "
                "give the decoder attention=, or another bridge"
            )
        self.encoder: Any = encoder
        self.decoder = decoder
        self.bridge = bridge
        weight = next(encoder.parameters())
        with torch.no_grad():
            memory, ends = encoder(weight.new_zeros(1, 0, encoder.input_size))
            starts = started(decoder.recurrent, weight.new_zeros(1, 0), None)
        if not isinstance(memory, Tensor):
            raise InputError(
                "the encoder gives outputs for each direction apart: build it with merge='concat'"
            )
        if bridge == "copy" and _form(ends) != _form(starts):
            raise InputError(
                f"bridge='copy' from a state of the form {_form(ends)} to one of {_form(starts)}: "
                "build both of one cell, one direction, equal layers and equal sizes, or take "
                "bridge='dense'"
            )
        size = self._vector(ends).shape[1]
        self.initial = InitialState(size, decoder.recurrent) if bridge == "dense" else None

    def start(
        self, source: Tensor, *, lengths: Tensor | Sequence[int] | None = None
    ) -> DecoderState:
        """Read a source; where its target begins.

        Args:
            source: [batch, time, input] of the encoder.
            lengths: Steps of each source, [batch], from 0 to `time`.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        memory, end = self.encoder(source, lengths=lengths)
        state = end._asdict() if self.bridge == "copy" else None
        if self.initial is not None:
            state = self.initial(self._vector(end))
        # A pyramid's memory has fewer steps than the source.
        shortened = getattr(self.encoder, "output_lengths", None)
        if shortened is not None and lengths is not None:
            lengths = shortened(lengths)
        return self.decoder.start(memory, lengths=lengths, state=state)

    def step(self, x: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Write one step: `RecurrentDecoder.step`.

        Args:
            x: Input, [batch, input] of the decoder: the embedding of the token before, or the
                value before.
            state: What `start` or the last step gave.
        """
        return self.decoder.step(x, state)

    def select(self, state: DecoderState, rows: Tensor) -> DecoderState:
        """The state of these rows, for a search: `RecurrentDecoder.select`."""
        return self.decoder.select(state, rows)

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        *,
        source_lengths: Tensor | Sequence[int] | None = None,
        target_lengths: Tensor | Sequence[int] | None = None,
    ) -> Decoded:
        """Read a source and write a target whose inputs are known (teacher forcing).

        Args:
            source: [batch, time, input] of the encoder.
            target: Inputs, [batch, steps, input] of the decoder: the target one step late.
            source_lengths: Steps of each source, [batch], from 0 to `time`.
            target_lengths: Steps of each target, [batch], from 0 to `steps`.

        Returns:
            Output, weights and state by name, as `RecurrentDecoder.forward`.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        state = self.start(source, lengths=source_lengths)
        return self.decoder(target, state, lengths=target_lengths)

    def _vector(self, end: State) -> Tensor:
        """What the last layer ended with, in all directions: its h and, where it has one, its c."""
        directions = 2 if self.encoder.bidirectional else 1
        output, *others = self.encoder.cell.states
        names = [output, *(name for name in others if name == "c")]
        parts = [getattr(end, name)[-directions:] for name in names]
        return torch.cat([part.transpose(0, 1).flatten(1) for part in parts], -1)


def _form(state: Any) -> dict[str, tuple[int, int]]:
    """Rows and features of each state, by name."""
    return {name: (len(part), part.shape[-1]) for name, part in state._asdict().items()}
