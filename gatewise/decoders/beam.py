"""The likeliest sequences of a network that is stepped: greedy and beam search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ..errors import InputError
from .search import Search

if TYPE_CHECKING:
    from torch import Tensor

_NEVER = float("-inf")


class Hypothesis(NamedTuple):
    """What a search found.

    Attributes:
        tokens: Without start and end.
        score: What it was ranked by: `log_prob` over the length penalty.
        log_prob: Logarithm of its probability, that of the end included.
        weights: Where each token's step looked, float32 [tokens, time]; [tokens, 0] where the
            network has no attention.
    """

    tokens: list[int]
    score: float
    log_prob: float
    weights: Tensor


class BeamSearch:
    """Search for the likeliest sequences, all sentences of a batch and all hypotheses at once.

    Hypotheses are ranked by `log p / ((5 + length) / 6) ** penalty` (Wu et al. 2016,
    https://arxiv.org/abs/1609.08144, equation 14), length with the end; penalty 0 ranks by
    probability. A sentence is done when no hypothesis that still grows can come to rank among the
    best. With a beam as wide as there are sequences it is exhaustive; with a beam of 1, greedy.

    The batch must have `limits`, the most tokens of each answer with its end, int64 [batch].

    Args:
        start: Token that the network is given first.
        end: Token that ends a sequence.
        search: Width, length penalty and what may not repeat.
        n_best: Hypotheses returned of each sentence, at most.
        never: Tokens that are never written, such as padding.

    Raises:
        InputError: `n_best` is more than the beam.

    Example:
        >>> from types import SimpleNamespace as Names
        >>> class Parrot:
        ...     def start(self, batch): return torch.zeros(1)
        ...     def step(self, token, state):
        ...         return torch.log(torch.tensor([[0.1, 0.3, 0.6]])).expand(len(token), 3), state
        ...     def select(self, state, rows): return state
        >>> search = BeamSearch(0, 1, Search(beam=3, penalty=0.0), n_best=2)
        >>> found = search(Parrot(), Names(limits=torch.tensor([3])))
        >>> [[hypothesis.tokens for hypothesis in one] for one in found]
        [[[], [2]]]
    """

    def __init__(
        self,
        start: int,
        end: int,
        search: Search,
        *,
        n_best: int = 1,
        never: tuple[int, ...] = (),
    ) -> None:
        if (
            isinstance(n_best, bool)
            or not isinstance(n_best, int)
            or not 1 <= n_best <= search.beam
        ):
            raise InputError(
                f"n_best={n_best!r}: give a whole number from 1 to the beam's {search.beam}, or a "
                "wider beam"
            )
        self.first, self.end = start, end
        self.search, self.n_best = search, n_best
        self.never = [start, *never]

    @torch.no_grad()
    def __call__(self, network: Any, batch: Any) -> list[list[Hypothesis]]:
        """Search.

        Args:
            network: Can be stepped (`Steppable`); its `looked(state)`, where it has one, says
                where it looked.
            batch: What its `start` takes.

        Returns:
            For each sentence, hypotheses, best first.
        """
        state = network.start(batch)
        limits = batch.limits
        done: list[list[Hypothesis]] = [[] for _ in limits.tolist()]
        growing = _Growing.begin(limits, self.search.beam, self.first)
        state = network.select(state, growing.sentence.repeat_interleave(self.search.beam))
        while len(growing.sentence):
            logits, state = network.step(growing.tokens[:, -1], state)
            growing = growing.looking(_looked(network, state, growing))
            growing, rows = self._grown(growing, logits, done)
            state = network.select(state, rows)
        return [_best(found, self.n_best) for found in done]

    def _grown(
        self, growing: _Growing, logits: Tensor, done: list[list[Hypothesis]]
    ) -> tuple[_Growing, Tensor]:
        """One token more; what ended goes to `done`. Also the rows that were kept."""
        count, beam = len(growing.sentence), self.search.beam
        chances = self._chances(growing, logits)
        total = growing.log_prob.unsqueeze(-1) + chances.view(count, beam, -1)
        vocabulary = total.shape[-1]
        # Each hypothesis ends in one way only: among twice as many enough go on.
        most = min(2 * beam, beam * vocabulary)
        value, place = total.flatten(1).topk(most)
        token, row = place % vocabulary, place // vocabulary
        ends = token == self.end
        self._collect(growing, value, row, ends, done)
        value = value.masked_fill(ends, _NEVER)
        value, order = value.topk(min(beam, most))
        token, row = token.gather(1, order), row.gather(1, order)
        goes_on = self._goes_on(growing, value[:, 0], done)
        rows = (torch.arange(count, device=row.device).unsqueeze(1) * beam + row)[goes_on]
        return growing.kept(goes_on, rows.flatten(), token[goes_on], value[goes_on]), rows.flatten()

    def _chances(self, growing: _Growing, logits: Tensor) -> Tensor:
        """Log probabilities of the next token, [rows, vocabulary]; -inf for what may not come."""
        chances = logits.float().log_softmax(-1)
        chances[:, self.never] = _NEVER
        if self.search.no_repeat:
            _forbid_repeats(chances, growing.tokens[:, 1:], self.search.no_repeat)
        last = (growing.limits <= growing.length + 1).repeat_interleave(self.search.beam)
        end = chances[:, self.end].clone()
        chances[last] = _NEVER
        chances[:, self.end] = end
        return chances

    def _collect(
        self,
        growing: _Growing,
        value: Tensor,
        row: Tensor,
        ends: Tensor,
        done: list[list[Hypothesis]],
    ) -> None:
        scale = self._scale(growing.length + 1)
        # What ranks below the beam would not have been kept either.
        found = ends & (value > _NEVER)
        found[:, self.search.beam :] = False
        for sentence, place in found.nonzero().tolist():
            at = sentence * self.search.beam + int(row[sentence, place])
            log_prob = float(value[sentence, place])
            number = int(growing.sentence[sentence])
            tokens = growing.tokens[at, 1:].tolist()
            weights = growing.weights[at, : len(tokens)].cpu()
            done[number].append(Hypothesis(tokens, log_prob / scale, log_prob, weights))
            done[number] = _best(done[number], self.n_best)

    def _goes_on(self, growing: _Growing, best: Tensor, done: list[list[Hypothesis]]) -> Tensor:
        """Which sentences have a hypothesis that may still come to rank among the best."""
        if self.search.beam == 1:
            # Greedy: whatever ends first.
            open_ = [not done[number] for number in growing.sentence.tolist()]
            return torch.tensor(open_, device=best.device)
        worst = [
            found[self.n_best - 1].score if len(found := done[number]) >= self.n_best else _NEVER
            for number in growing.sentence.tolist()
        ]
        # Probability only falls; the penalty divides by no more than it does at the limit.
        bound = best.double() / self._scale(growing.limits)
        return (best > _NEVER) & (bound.cpu() > torch.tensor(worst).double()).to(best.device)

    def _scale(self, length: Any) -> Any:
        return ((5.0 + length) / 6.0) ** self.search.penalty


class _Growing(NamedTuple):
    """Hypotheses that have not ended.

    Attributes:
        sentence: Which sentence of the batch each group of `beam` rows is of, [sentences].
        limits: Its limit, [sentences].
        tokens: Start and what was written, [rows, 1 + length].
        log_prob: [sentences, beam]; -inf where there is none.
        weights: Where steps looked, [rows, steps, time].
    """

    sentence: Tensor
    limits: Tensor
    tokens: Tensor
    log_prob: Tensor
    weights: Tensor

    @classmethod
    def begin(cls, limits: Tensor, beam: int, start: int) -> _Growing:
        count = len(limits)
        log_prob = torch.full((count, beam), _NEVER, device=limits.device)
        log_prob[:, 0] = 0.0
        return cls(
            torch.arange(count, device=limits.device),
            limits,
            limits.new_full((count * beam, 1), start),
            log_prob,
            log_prob.new_zeros(count * beam, 0, 0),
        )

    @property
    def length(self) -> int:
        return self.tokens.shape[1] - 1

    def looking(self, weights: Tensor) -> _Growing:
        """With where the last step looked, [rows, time]."""
        before = self.weights
        if not before.shape[1]:
            before = weights.new_zeros(len(weights), 0, weights.shape[-1])
        return self._replace(weights=torch.cat([before, weights.unsqueeze(1)], 1))

    def kept(self, goes_on: Tensor, rows: Tensor, token: Tensor, value: Tensor) -> _Growing:
        return _Growing(
            self.sentence[goes_on],
            self.limits[goes_on],
            torch.cat([self.tokens[rows], token.view(-1, 1)], 1),
            value,
            self.weights[rows],
        )


def _best(found: list[Hypothesis], count: int) -> list[Hypothesis]:
    return sorted(found, key=lambda h: h.score, reverse=True)[:count]


def _looked(network: Any, state: Any, growing: _Growing) -> Tensor:
    """Where the last step looked; several networks look where they do on average."""
    if hasattr(network, "members"):
        members = zip(network.members, state, strict=True)
        return torch.stack([_looked(one, own, growing) for one, own in members]).mean(0)
    if hasattr(network, "looked"):
        return network.looked(state).float()
    return growing.log_prob.new_zeros(len(growing.tokens), 0)


def _forbid_repeats(chances: Tensor, tokens: Tensor, length: int) -> None:
    """Put -inf where a token would end a run of `length` tokens that a row has already."""
    for row, written in enumerate(tokens.tolist()):
        tail = written[len(written) - length + 1 :]
        if len(written) < length:
            continue
        for at in range(len(written) - length + 1):
            if written[at : at + length - 1] == tail:
                chances[row, written[at + length - 1]] = _NEVER
