"""A linear-chain conditional random field: every path of tags at once, in two sweeps over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...errors import InputError
from ..arguments import check_sizes
from ..masks import inside


class Transitions(NamedTuple):
    """Scores of a chain's links; minus infinity where a link is forbidden.

    Attributes:
        between: From tag (rows) to tag (columns), [tags, tags].
        start: Of a path that begins with a tag, [tags].
        end: Of a path that ends with a tag, [tags].
    """

    between: Tensor
    start: Tensor
    end: Tensor


class CRF(nn.Module):
    """The transitions of a linear-chain conditional random field.

    A path's score is the sum of its emissions, its transitions, and what its first and its last
    tag score; its probability is the softmax over all paths. Lafferty, McCallum & Pereira 2001
    (https://repository.upenn.edu/handle/20.500.14332/6188); with recurrent emissions: Huang, Xu &
    Yu 2015 (https://arxiv.org/abs/1508.01991). What is computed with them stands beside this
    class: `log_partition`, `path_score`, `log_likelihood`, `marginals`, `viterbi`.

    Args:
        tags: How many tags there are.
        allowed: Which transitions there may be, Booleans of the same form; None for all.

    Raises:
        InputError: The number or the shapes are not as above, or no path is allowed.

    Example:
        >>> transitions = CRF(3)()
        >>> emissions = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
        >>> viterbi(emissions, transitions, torch.tensor([2]))[0].tolist()
        [[0, 2]]
    """

    def __init__(self, tags: int, allowed: Transitions | None = None) -> None:
        super().__init__()
        check_sizes({"tags": tags}, 0.0)
        shapes = {"between": (tags, tags), "start": (tags,), "end": (tags,)}
        self.tags = tags
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape)))
            mask = torch.ones(shape) if allowed is None else getattr(allowed, name)
            if tuple(mask.shape) != shape:
                raise InputError(
                    f"allowed.{name} has shape {tuple(mask.shape)}: give {list(shape)}, a truth "
                    "value for each"
                )
            self.register_buffer(f"forbidden_{name}", ~mask.bool(), persistent=False)
        if allowed is not None and not _has_path(*(m.bool() for m in allowed)):
            raise InputError("allowed leaves no path from a start to an end: allow more")

    def forward(self) -> Transitions:
        """The scores, with minus infinity where nothing is allowed."""
        return Transitions(
            *(
                getattr(self, name).masked_fill(getattr(self, f"forbidden_{name}"), -torch.inf)
                for name in Transitions._fields
            )
        )

    def extra_repr(self) -> str:
        """The number of tags."""
        return str(self.tags)


def log_partition(emissions: Tensor, transitions: Transitions, lengths: Tensor) -> Tensor:
    """Logarithm of the summed exponentials of all paths' scores, by the forward algorithm.

    Its gradient is what the backward algorithm gives: no graph of the steps is kept.

    Args:
        emissions: [batch, time, tags]; minus infinity forbids a tag at a step.
        transitions: Between the tags.
        lengths: Steps of each sequence, int64 [batch]; 0 gives 0.

    Returns:
        [batch], in the type of the emissions.
    """
    return _Partition.apply(emissions, *transitions, lengths)  # type: ignore[no-any-return]


def path_score(
    emissions: Tensor, transitions: Transitions, tags: Tensor, lengths: Tensor
) -> Tensor:
    """Score of one path for each sequence.

    Args:
        emissions: [batch, time, tags].
        transitions: Between the tags.
        tags: The path, int64 [batch, time]; anything beyond the length.
        lengths: Steps of each sequence, int64 [batch]; 0 gives 0.

    Returns:
        [batch].
    """
    real = inside(lengths, tags.shape[1])
    tags = tags.masked_fill(~real, 0)
    given = emissions.gather(2, tags.unsqueeze(-1)).squeeze(-1).masked_fill(~real, 0)
    links = transitions.between[tags[:, :-1], tags[:, 1:]].masked_fill(~real[:, 1:], 0)
    last = tags.gather(1, (lengths - 1).clamp(min=0).unsqueeze(1)).squeeze(1)
    ends = transitions.start[tags[:, 0]] + transitions.end[last]
    return given.sum(1) + links.sum(1) + ends.masked_fill(lengths == 0, 0)


def log_likelihood(
    emissions: Tensor, transitions: Transitions, tags: Tensor, lengths: Tensor
) -> Tensor:
    """Log-probability of what is known of a path; tags below 0 are unknown, and summed over.

    Args:
        emissions: [batch, time, tags].
        transitions: Between the tags.
        tags: int64 [batch, time], -1 where the tag is not known.
        lengths: Steps of each sequence, int64 [batch].

    Returns:
        [batch], at most 0.

    Example:
        >>> nothing_known = torch.full((1, 4), -1)
        >>> log_likelihood(torch.randn(1, 4, 3), CRF(3)(), nothing_known, torch.tensor([4])).item()
        0.0
    """
    whole = log_partition(emissions, transitions, lengths)
    real = inside(lengths, tags.shape[1])
    if not bool((real & (tags < 0)).any()):
        return path_score(emissions, transitions, tags, lengths) - whole
    others = torch.arange(emissions.shape[2], device=tags.device) != tags.unsqueeze(-1)
    outside = others & (real & (tags >= 0)).unsqueeze(-1)
    return log_partition(emissions.masked_fill(outside, -torch.inf), transitions, lengths) - whole


def marginals(emissions: Tensor, transitions: Transitions, lengths: Tensor) -> Tensor:
    """Probability of each tag at each step, by the forward-backward algorithm.

    Args:
        emissions: [batch, time, tags].
        transitions: Between the tags.
        lengths: Steps of each sequence, int64 [batch].

    Returns:
        [batch, time, tags]; zero beyond the length.

    Example:
        >>> marginals(torch.zeros(1, 2, 4), CRF(4)(), torch.tensor([2]))[0, 0].tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    between, start, end = map(_wide, transitions)
    ahead, back, total = _sweep(_wide(emissions), between, start, end, lengths)
    return _probabilities(ahead, back, total, lengths).to(emissions.dtype)


def viterbi(emissions: Tensor, transitions: Transitions, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The best path of each sequence: Viterbi 1967 (https://doi.org/10.1109/TIT.1967.1054010).

    Args:
        emissions: [batch, time, tags].
        transitions: Between the tags.
        lengths: Steps of each sequence, int64 [batch].

    Returns:
        Tags, int64 [batch, time], -1 beyond the length, and the paths' scores, [batch].
    """
    batch, steps, tags = emissions.shape
    if not steps:
        return lengths.new_zeros(batch, 0), emissions.new_zeros(batch)
    real = inside(lengths, steps)
    stay = torch.arange(tags, device=emissions.device).expand(batch, tags)
    best = transitions.start + emissions[:, 0]
    came = []
    for t in range(1, steps):
        values, previous = (best.unsqueeze(2) + transitions.between).max(1)
        now = real[:, t].unsqueeze(1)
        best = torch.where(now, values + emissions[:, t], best)
        came.append(torch.where(now, previous, stay))
    score, last = (best + transitions.end).max(1)
    path = [last]
    for previous in reversed(came):
        path.append(previous.gather(1, path[-1].unsqueeze(1)).squeeze(1))
    found = torch.stack(path[::-1], 1).masked_fill(~real, -1)
    return found, score.masked_fill(lengths == 0, 0)


class _Partition(torch.autograd.Function):
    """The log-partition and its gradients, which are expected counts."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, between: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        """Sweep both ways at once."""
        wide, links = _wide(emissions), _wide(between)
        ahead, back, total = _sweep(wide, links, _wide(start), _wide(end), lengths)
        ctx.save_for_backward(ahead, back, total, wide, links, lengths)
        ctx.dtype = emissions.dtype
        return total.to(emissions.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:  # type: ignore[override]
        """Expected counts of tags and of transitions, weighted by the gradient."""
        ahead, back, total, emissions, between, lengths = ctx.saved_tensors
        weight = gradient.to(total.dtype)
        counts = _probabilities(ahead, back, total, lengths) * weight.view(-1, 1, 1)
        last = (lengths - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, counts.shape[2])
        at_end = counts.gather(1, last).squeeze(1).sum(0)
        # Both sides are scaled by their largest, so that no product over- or underflows.
        real = inside(lengths, ahead.shape[1])[:, 1:, None]
        left = ahead[:, :-1]
        right = (back + emissions)[:, 1:]
        high = left.amax(2, keepdim=True), right.amax(2, keepdim=True)
        scale = (high[0] + high[1] - total.view(-1, 1, 1)).exp() * weight.view(-1, 1, 1)
        left = torch.where(real, (left - high[0]).exp() * scale, 0)
        right = torch.where(real, (right - high[1]).exp(), 0)
        pairs = torch.einsum("btk,btl->kl", left, right) * between.exp()
        grads = counts, pairs, counts[:, 0].sum(0), at_end
        return *(g.to(ctx.dtype) for g in grads), None


def _sweep(
    emissions: Tensor, between: Tensor, start: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Forward and backward sums of all steps, [batch, time, tags], and the partition, [batch].

    The two directions are one recursion over twice the batch. A forward row holds its own
    emission, a backward row does not; a sequence that has ended keeps its backward row at `end`.
    """
    batch, steps, tags = emissions.shape
    if not steps:
        nothing = emissions.new_zeros(batch, 0, tags)
        return nothing, nothing, emissions.new_zeros(batch)
    links = torch.stack([between, between.T])
    found = _summed(emissions, links, start, end, lengths, _product)
    if bool(found[2].isneginf().any()):
        # What is more than 700 below the largest is lost in a product.
        found = _summed(emissions, links, start, end, lengths, _sum)
    return found


def _summed(
    emissions: Tensor,
    links: Tensor,
    start: Tensor,
    end: Tensor,
    lengths: Tensor,
    add: Callable[[Tensor, Tensor], Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    batch, steps, tags = emissions.shape
    if add is _product:
        links = links.exp()
    real = inside(lengths, steps).unsqueeze(2)
    ahead, back = [start + emissions[:, 0]], [end.expand(batch, tags)]
    for t in range(1, steps):
        later = steps - t
        sums = add(torch.stack([ahead[-1], back[-1] + emissions[:, later]]), links)
        ahead.append(sums[0] + emissions[:, t])
        back.append(torch.where(real[:, later], sums[1], end))
    forward, backward = torch.stack(ahead, 1), torch.stack(back[::-1], 1)
    total = torch.logsumexp(forward[:, 0] + backward[:, 0], 1).masked_fill(lengths == 0, 0)
    return forward, backward, total


def _product(sources: Tensor, links: Tensor) -> Tensor:
    """Logarithms of the sums of `exp(sources)` over `links`, [2, batch, tags], by a product."""
    high = sources.amax(2, keepdim=True).clamp_(min=torch.finfo(sources.dtype).min)
    return ((sources - high).exp_() @ links).log_() + high


def _sum(sources: Tensor, links: Tensor) -> Tensor:
    """The same from the logarithms of the links, whatever their range."""
    return torch.logsumexp(sources.unsqueeze(3) + links.unsqueeze(1), 2)


def _probabilities(ahead: Tensor, back: Tensor, total: Tensor, lengths: Tensor) -> Tensor:
    chance = (ahead + back - total.view(-1, 1, 1)).exp()
    return chance.masked_fill(~inside(lengths, ahead.shape[1]).unsqueeze(-1), 0)


def _wide(x: Tensor) -> Tensor:
    """Sums over a thousand steps want more digits than float32 has, where the device has them."""
    return x.detach() if x.device.type == "mps" else x.detach().double()


def _has_path(between: Tensor, start: Tensor, end: Tensor) -> bool:
    reached = start
    for _ in range(len(start)):
        reached = reached | (reached.unsqueeze(1) & between).any(0)
    return bool((reached & end).any())
