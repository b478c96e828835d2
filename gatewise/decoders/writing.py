"""A language network one token at a time, as fast as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import InputError
from ..nn.heads.softmax import FullHead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from ..nn.networks.language import LanguageNetwork
    from .sampling import Sampler


class Steps:
    """Tokens in, scores of the next one out; the state stays inside.

    Layers run as streams (`Recurrent.stream`) where their cell can, else step by step.

    Args:
        network: In evaluation mode, on the processor.
        tokens: What comes first, at least one token.
        banned: Tokens that never come next.
        weights: Type of the layers' weights: None for their own, "bfloat16" or "int8" for less
            memory and other scores in the last digits.

    Attributes:
        logits: Scores of the next token, [tokens].
    """

    def __init__(
        self,
        network: LanguageNetwork,
        tokens: Sequence[int],
        banned: Sequence[int] = (),
        weights: str | None = None,
    ) -> None:
        with torch.no_grad():
            features, state = network.reader(torch.tensor([list(tokens)]))
        self._vectors = network.reader.embedding.weight.numpy(force=True)
        layers: list[Any] = list(network.reader.layers)
        self._layers = [
            _step_of(layer, tuple(state[f"{k}.{name}"] for name in layer.cell.states), weights)
            for k, layer in enumerate(layers)
        ]
        self._residual = network.reader.residual
        self._head = _head_of(network, banned)
        self.logits = self._head(features[0, -1].numpy(force=True))

    def step(self, token: int) -> NDArray[Any]:
        """Take a token, and score the next one."""
        x = self._layers[0](self._vectors[token])
        for layer in self._layers[1:]:
            y = layer(x)
            x = x + y if self._residual and x.shape == y.shape else y
        self.logits = self._head(x)
        return self.logits


def tokens(steps: Steps, draw: Sampler, *, most: int | None, end: int) -> Iterator[int]:
    """Write tokens.

    Args:
        steps: The network, having read what comes before.
        draw: Chooses.
        most: Tokens to write; None to go on until the end comes.
        end: The token that ends a text; it is not given.
    """
    count = 0
    logits = steps.logits
    while most is None or count < most:
        token = draw(logits)
        if token == end:
            return
        yield token
        count += 1
        logits = steps.step(token)


def _step_of(layer: Any, state: Any, weights: str | None) -> Callable[[Any], Any]:
    try:
        return layer.stream(1, state, weights).step
    except InputError:
        if weights is not None:
            raise
    held = [state]

    def step(x: NDArray[Any]) -> NDArray[Any]:
        with torch.no_grad():
            y, held[0] = layer.step(torch.from_numpy(x).unsqueeze(0), held[0])
        return y[0].numpy()

    return step


def _head_of(network: LanguageNetwork, banned: Sequence[int]) -> Callable[[Any], Any]:
    head = network.head
    never = np.zeros(network.reader.embedding.num_embeddings, np.float32)
    never[list(banned)] = -np.inf
    if isinstance(head, FullHead):
        weight = head.linear.weight.numpy(force=True)
        if head.project is not None:
            weight = weight @ head.project.weight.numpy(force=True)
        weight = np.ascontiguousarray(weight)
        bias = head.linear.bias.numpy(force=True) + never
        return lambda features: weight @ features + bias

    def scored(features: NDArray[Any]) -> NDArray[Any]:
        with torch.no_grad():
            return head.logits(torch.from_numpy(features)).numpy() + never

    return scored
