"""A memory of what was read lately, asked when the next token is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ..errors import InputError
from ..nn.networks.language import UNSCORED

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Cache:
    """How a neural cache is asked: Grave, Joulin & Usunier 2017, https://arxiv.org/abs/1612.04426.

    Args:
        size: Tokens back that it reaches.
        share: Weight of the cache beside the model, lambda in the paper.
        sharpness: Factor of the similarity of two outputs, theta in the paper.

    Raises:
        InputError: A number is out of its range.
    """

    size: int = 2000
    share: float = 0.1
    sharpness: float = 0.3

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.share <= 1 or self.sharpness < 0:
            raise InputError(
                f"{self}: give a size of at least 1, a share from 0 to 1 and a sharpness of at "
                "least 0"
            )


class CachedNats:
    """Surprise with a neural cache, window after window of one stream.

    Args:
        cache: How it is asked.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._features: Tensor | None = None
        self._tokens: Tensor | None = None

    def __call__(self, features: Tensor, nats: Tensor, targets: Tensor) -> Tensor:
        """Mix the model's answer with the cache's, and take the window into the cache.

        Args:
            features: Outputs of the model, [time, features].
            nats: Its surprise at each target, [time].
            targets: The tokens that came next, [time]; `UNSCORED` ones are not remembered.

        Returns:
            Surprise of the mixture, [time].
        """
        steps = len(targets)
        known = features if self._features is None else torch.cat([self._features, features])
        tokens = targets if self._tokens is None else torch.cat([self._tokens, targets])
        past = len(tokens) - steps
        scores = self._cache.sharpness * features @ known.T
        here, there = torch.arange(steps).unsqueeze(1) + past, torch.arange(len(tokens))
        # What came next is known of earlier outputs only.
        open_ = (there < here) & (there >= here - self._cache.size) & (tokens != UNSCORED)
        shares = scores.masked_fill(~open_, -torch.inf).softmax(-1).nan_to_num(0.0)
        found = (shares * (tokens == targets.unsqueeze(1))).sum(-1)
        share = self._cache.share * open_.any(-1)
        self._features, self._tokens = known[-self._cache.size :], tokens[-self._cache.size :]
        return -torch.log((1 - share) * torch.exp(-nats) + share * found)


def cached_nats(network: Any, dataset: Any, cache: Cache) -> float:
    """Mean surprise over a passage with a neural cache, in nats.

    Args:
        network: A language network, in evaluation mode.
        dataset: The passage; it is read by one reader.
        cache: How it is asked.
    """
    ask, state, total, count = CachedNats(cache), None, 0.0, 0.0
    with torch.no_grad():
        for indices in dataset.order(1, 0, 0).epoch(0):
            batch = dataset.batch(indices)
            output, state = network.carried(batch, state)
            nats = ask(output.features[0], output.nats[0], batch.targets[0])
            scored = batch.targets[0] != UNSCORED
            total += float(nats[scored].double().sum())
            count += float(scored.sum())
    return total / count
