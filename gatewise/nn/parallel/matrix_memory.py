"""The matrix memory of the xLSTM over time: step by step, or chunk by chunk.

Beck et al. 2024 (https://arxiv.org/abs/2405.04517), equations 19 to 27. A step writes a value
under a key and reads with a query:

    C = f * C + i * outer(k, v)        what is stored
    n = f * n + i * k                  how much was written under which key
    y = q C / max(|q n|, 1)

The exponential input gate would overflow, so C and n are kept less a factor exp(m), where
m = max(log f + m, log i) follows the largest term in them. A column of ones beside the values
makes n the last column of C.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .scan import linear_scan

EPS = 1e-6
"""What is added to the denominator of the scaled memory, as in the authors' code."""

LARGEST = 60.0
"""Where exp(-m) stops to grow: it would overflow, and the output is nearly 0 long before."""


class Inputs(NamedTuple):
    """What a memory sees of its input.

    Attributes:
        q: Queries, [batch, time, heads, size].
        k: Keys, divided by the root of their size.
        v: Values.
        i: Logarithm of the input gate, [batch, time, heads]; -inf writes nothing.
        f: Logarithm of the forget gate; 0 keeps everything.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    i: Tensor
    f: Tensor


class Memory(NamedTuple):
    """What is remembered, for each sequence and head.

    Attributes:
        c: Values by key, less the factor exp(m), [batch, heads, key size, value size].
        n: Sum of the keys, less the same factor, [batch, heads, key size].
        m: Logarithm of the factor, [batch, heads].
    """

    c: Tensor
    n: Tensor
    m: Tensor


def stepwise(given: Inputs, memory: Memory) -> tuple[Tensor, Memory]:
    """Run step by step, in constant memory where no gradient is recorded.

    Args:
        given: The input's part.
        memory: Before the first step.

    Returns:
        Outputs, [batch, time, heads, size], and the memory after the last step.
    """
    store, m = _joined(memory), memory.m
    outputs = []
    for q, k, v, i, f in zip(*(part.unbind(1) for part in given), strict=True):
        level = torch.maximum(f + m, i)
        kept, written = (f + m - level).exp(), (i - level).exp()
        new = (written.unsqueeze(-1) * k).unsqueeze(-1) * _with_ones(v).unsqueeze(-2)
        store = kept[..., None, None] * store + new
        m = level
        outputs.append(_normalized((q.unsqueeze(-2) @ store).squeeze(-2), m))
    return torch.stack(outputs, 1) if outputs else given.v, _parted(store, m)


def chunkwise(given: Inputs, memory: Memory, chunk_size: int) -> tuple[Tensor, Memory]:
    """Run many steps at once: products within chunks, and a scan from chunk to chunk.

    It costs `time * (chunk_size + size) * size` and memory in proportion to `time`. With one chunk
    of all steps it is the paper's parallel form (appendix A), quadratic in time.

    Args:
        given: The input's part.
        memory: Before the first step.
        chunk_size: Steps of a chunk, at most.

    Returns:
        Outputs, [batch, time, heads, size], and the memory after the last step.
    """
    time = given.q.shape[1]
    chunks = max(1, -(-time // chunk_size))
    size = max(1, -(-time // chunks))
    fills = (0.0, 0.0, 0.0, -torch.inf, 0.0)
    q, k, v, i, f = (
        _cut(part, chunks, size, fill) for part, fill in zip(given, fills, strict=True)
    )
    v = _with_ones(v)
    # From chunk to chunk. Logarithms of what is left at its end: of the memory before it, `total`,
    # and of what each of its steps wrote, `last`.
    left = f.cumsum(-1)
    total, last = left[..., -1], _sums_after(f) + i
    levels = _levels(total, last.amax(-1), memory.m)
    before, after = levels[:, :-1], levels[:, 1:]
    written = (k * (last - after.unsqueeze(-1)).exp().unsqueeze(-1)).mT @ v
    kept = (total + before - after).exp()
    stores = linear_scan(kept[..., None, None], written, _joined(memory))
    # Within a chunk any level will do that is near the largest term. `change` is the logarithm of
    # what a step leaves of all before it, less the change of level.
    level = left + torch.maximum(before.unsqueeze(-1), (i - left).cummax(-1).values)
    change = f + torch.cat([before.unsqueeze(-1), level[..., :-1]], -1) - level
    share = _sums_between(change).add_((i - level).unsqueeze(-1))
    share = share.masked_fill_(_past(size, share.device), -torch.inf).exp_()
    old = change.cumsum(-1).exp().unsqueeze(-1) * (q @ stores[:, :-1])
    y = _normalized(((k @ q.mT) * share).mT @ v + old, level)
    return y.transpose(2, 3).flatten(1, 2)[:, :time], _parted(stores[:, -1], levels[:, -1])


def _cut(part: Tensor, chunks: int, size: int, fill: float) -> Tensor:
    """Cut time into chunks, with `fill` after the end, [batch, chunks, heads, size, ...]."""
    missing = chunks * size - part.shape[1]
    if missing:
        part = F.pad(part, (0, 0) * (part.dim() - 2) + (0, missing), value=fill)
    return part.unflatten(1, (chunks, size)).transpose(2, 3).contiguous()


def _sums_after(f: Tensor) -> Tensor:
    """Sums over all later steps of a chunk, 0 for the last step."""
    return F.pad(f[..., 1:], (0, 1)).flip(-1).cumsum(-1).flip(-1)


def _sums_between(f: Tensor) -> Tensor:
    """Sums over the steps after `from` until `to`, [..., from, to], 0 where there are none.

    Differences of cumulative sums would lose the digits of short distances to long ones.
    """
    return f.unsqueeze(-2).expand(*f.shape, f.shape[-1]).triu(1).cumsum(-1)


def _past(size: int, device: torch.device) -> Tensor:
    """Where a step would read what is written after it, [from, to]."""
    return torch.ones(size, size, dtype=torch.bool, device=device).tril(-1)


def _levels(left: Tensor, written: Tensor, m: Tensor) -> Tensor:
    """The level m before the first chunk and after each, [batch, chunks + 1, heads].

    Args:
        left: Logarithm of what each chunk leaves of the memory before it, [batch, chunks, heads].
        written: Logarithm of the largest term that each chunk adds.
        m: The level before the first.
    """
    levels = [m]
    for kept, new in zip(left.unbind(1), written.unbind(1), strict=True):
        levels.append(torch.maximum(kept + levels[-1], new))
    return torch.stack(levels, 1)


def _normalized(read: Tensor, m: Tensor) -> Tensor:
    """What is read, [..., size + 1], divided by its last column, which is at least exp(-m)."""
    least = (-m).clamp(max=LARGEST).exp().unsqueeze(-1)
    return read[..., :-1] / (torch.maximum(read[..., -1:].abs(), least) + EPS)


def _with_ones(v: Tensor) -> Tensor:
    return F.pad(v, (0, 1), value=1.0)


def _joined(memory: Memory) -> Tensor:
    """C and n beside it, [batch, heads, key size, value size + 1]."""
    return torch.cat([memory.c, memory.n.unsqueeze(-1)], -1)


def _parted(store: Tensor, m: Tensor) -> Memory:
    return Memory(store[..., :-1], store[..., -1], m)
