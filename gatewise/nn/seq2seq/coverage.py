"""A decoder that remembers where it has looked."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...errors import InputError
from ..attention.attention import AdditiveAttention
from .decoder_state import DecoderState
from .recurrent_decoder import RecurrentDecoder


class CoverageDecoder(RecurrentDecoder):
    """Recurrent layers that write, with additive attention that knows what it has covered.

    See, Liu & Manning, Get To The Point, 2017 (https://arxiv.org/abs/1704.04368), section 2.3: the
    score of a step of the memory has one term more, `w` times the sum of all weights that step was
    given so far. As scores are `v . tanh(W query + key + b)`, that sum is added to the keys, step
    by step.

    Args:
        cell: Equations of one step, as in `Recurrent`.
        input_size: Features of each step's input.
        hidden_size: Units of each layer.
        attention: Additive, for queries of `hidden_size` features.
        num_layers: As in `RecurrentDecoder`.
        feeding: As in `RecurrentDecoder`.
        dropout: As in `RecurrentDecoder`.
        learn_state: As in `RecurrentDecoder`.

    Raises:
        InputError: The attention is of another kind, or an argument is wrong.

    Example:
        >>> import torch
        >>> decoder = CoverageDecoder("gru", 6, 8, attention=AdditiveAttention(8, 4, 8))
        >>> state = decoder.start(torch.randn(2, 5, 4), lengths=[5, 3])
        >>> decoder(torch.randn(2, 7, 6), state).weights.shape
        torch.Size([2, 7, 5])
    """

    def __init__(
        self,
        cell: Any,
        input_size: int,
        hidden_size: int,
        *,
        attention: AdditiveAttention,
        num_layers: int = 1,
        feeding: str = "none",
        dropout: float = 0.0,
        learn_state: bool = False,
    ) -> None:
        if not isinstance(attention, AdditiveAttention):
            raise InputError(
                f"attention={type(attention).__name__}: coverage is a term of additive attention; "
                "give an AdditiveAttention"
            )
        super().__init__(
            cell,
            input_size,
            hidden_size,
            num_layers=num_layers,
            attention=attention,
            feeding=feeding,
            dropout=dropout,
            learn_state=learn_state,
        )
        self.covered = nn.Parameter(torch.zeros(attention.score.in_features))

    def step(self, x: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Write one step, and add to the keys where it looked: `RecurrentDecoder.step`."""
        output, after = super().step(x, state)
        assert after.memory is not None
        seen = after.weights.unsqueeze(-1) * self.covered
        memory = after.memory._replace(keys=after.memory.keys + seen)
        return output, after._replace(memory=memory)

    @property
    def at_once(self) -> bool:
        """False: each step has to know where those before it have looked."""
        return False
