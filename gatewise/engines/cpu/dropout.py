"""Dropout in one pass over memory, its noise made on the way; torch takes ten times as long.

The noise is that of SplitMix64 (Steele, Lea & Flood 2014, https://doi.org/10.1145/2660193.2660195),
whose number k is a function of the seed and of k: so threads share the work, and a backward pass
makes the same noise again instead of keeping it.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import Parameter

from ..tracing import is_batched, is_recorded, is_transformed
from . import threads
from .engine import unable
from .host import Host, host
from .jit import compiled
from .kernels import lanes
from .words import Words

if TYPE_CHECKING:
    from .ir import Function, Lanes

LEVELS = 1 << 16
"""Chances that there are: each number has 16 random bits."""

_STEP, _ONCE, _TWICE = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""What SplitMix64 goes on by, and what it multiplies by."""

_SHARE = 1 << 15
"""Numbers that are worth a thread."""

_BLOCK = 64
"""What shares are whole multiples of: at least the numbers that are made at once."""

_WORDS = Words(["to", "from", "begin", "end", "seed", "level", "scale"])


def can_drop(x: Tensor) -> bool:
    """Whether `drop` can be asked: for plain float32 on a processor, where nobody looks on."""
    return (
        (type(x) is Tensor or type(x) is Parameter)
        and x.is_cpu
        and x.dtype is torch.float32
        and not torch.compiler.is_compiling()
        and not is_recorded()
        and not is_transformed()
        and not is_batched(x)
        and unable() is None
    )


def drop(x: Tensor, seed: int, level: int, scale: float) -> Tensor:
    """Set numbers to 0, and multiply the others.

    Args:
        x: Of any shape and order in memory; `can_drop` holds.
        seed: Whole number of up to 64 bits; with the place of a number, counted in the order of
            `x.flatten()`, it decides.
        level: Of 65,536, how many chances there are to stay; from 1 to 65,535.
        scale: What those are multiplied by that stay.

    Example:
        >>> y = drop(torch.ones(1000), seed=0, level=1 << 15, scale=2.0)
        >>> y.unique().tolist()
        [0.0, 2.0]
    """
    x = x.detach().resolve_neg().contiguous()
    y = torch.empty_like(x)
    count = x.numel()
    shares = max(1, min(torch.get_num_threads(), count // _SHARE))
    edges = [count * k // shares // _BLOCK * _BLOCK for k in range(shares)]
    (bits,) = struct.unpack("i", struct.pack("f", scale))
    before, after = (_address(host()), y.data_ptr(), x.data_ptr()), (_signed(seed), level, bits)
    jobs = [
        array("q", (*before, begin, end, *after))
        for begin, end in zip(edges, [*edges[1:], count], strict=True)
    ]
    threads.run([job.buffer_info()[0] for job in jobs], torch.get_num_threads())
    return y


def stays(shape: Sequence[int], seed: Tensor, level: int) -> Tensor:
    """Say what `drop` would leave, by torch's own operations, bool of such a shape.

    Args:
        shape: Of the tensor.
        seed: As for `drop`, an int64 without axes.
        level: As for `drop`.

    Example:
        >>> kept = stays((1000,), torch.tensor(0), 1 << 15)
        >>> torch.equal(kept, drop(torch.ones(1000), 0, 1 << 15, 1.0) > 0)
        True
    """
    count = prod(shape)
    numbers = torch.arange(1, -(-count // 4) + 1, device=seed.device)
    mixed = numbers * _signed(_STEP) + seed
    for shift, factor in ((30, _ONCE), (27, _TWICE), (31, 1)):
        high = mixed.bitwise_right_shift(shift) & ((1 << (64 - shift)) - 1)
        mixed = (mixed ^ high) * _signed(factor)
    # With the highest bits turned, numbers with a sign are in the order of those without.
    drawn = (mixed ^ _signed(0x8000_8000_8000_8000)).view(torch.int16)[:count]
    return drawn.view(shape) < level - LEVELS // 2


def _signed(value: int) -> int:
    """The same 64 bits as a number with a sign."""
    value &= (1 << 64) - 1
    return value - (value >> 63 << 64)


@lru_cache(maxsize=4)
def _address(machine: Host) -> int:
    library = compiled("dropout", lambda: _text(lanes(machine, "float")), machine)
    return library.address("drop")


def _text(vector: Lanes) -> str:
    """The module, with the public function `drop`; two vectors are made at once."""
    from .block import Block
    from .ir import Function, Module

    module, n = Module(), vector.count
    code = Function(module, "drop", [("ptr", "%block")], vector, public=True)
    block = Block(code, _WORDS)
    end, from_, to = block.word("end"), block.pointer("from"), block.pointer("to")
    seed = _all(code, f"{n // 2} x i64", block.word("seed"))
    level = _all(code, f"{2 * n} x i16", code.let(f"trunc i64 {block.word('level')} to i16"))
    bits = code.let(f"trunc i64 {block.word('scale')} to i32")
    scale = _all(code, f"{n} x float", code.let(f"bitcast i32 {bits} to float"))
    with code.loop(block.word("begin"), end, str(2 * n)) as at:
        drawn = _drawn(code, seed, at)
        kept = code.let(f"icmp ult <{2 * n} x i16> {drawn}, {level}")
        for half in (0, n):
            numbers = ", ".join(f"i32 {half + k}" for k in range(n))
            own = code.let(
                f"shufflevector <{2 * n} x i1> {kept}, <{2 * n} x i1> poison, "
                f"<{n} x i32> <{numbers}>"
            )
            place = code.add(at, str(half))
            source, target = code.offset(from_, place), code.offset(to, place)
            left = code.sub(end, place)
            whole, part, done = code.label("w"), code.label("p"), code.label("d")
            code.branch(code.less(left, str(n)), part, whole)
            code.block(whole)
            value = code.arithmetic("fmul", code.load(source), scale)
            code.store(code.select(own, value, "zeroinitializer"), target)
            code.jump(done)
            code.block(part)
            inside = code.mask(left)
            value = code.arithmetic("fmul", code.load_part(source, inside), scale)
            code.store_part(code.select(own, value, "zeroinitializer"), target, inside)
            code.jump(done)
            code.block(done)
    code.do("ret void")
    module.add(code)
    return module.text()


def _drawn(code: Function, seed: str, at: str) -> str:
    """Random bits for two vectors from place `at` on, 16 for each number."""
    n = code.lanes.count
    kind = f"<{n // 2} x i64>"
    numbers = ", ".join(f"i64 {k + 1}" for k in range(n // 2))
    first = _all(code, f"{n // 2} x i64", code.let(f"lshr i64 {at}, 2"))
    number = code.let(f"add {kind} {first}, <{numbers}>")
    steps = code.let(f"mul {kind} {number}, splat (i64 {_signed(_STEP)})")
    mixed = code.let(f"add {kind} {steps}, {seed}")
    for shift, factor in ((30, _ONCE), (27, _TWICE)):
        high = code.let(f"lshr {kind} {mixed}, splat (i64 {shift})")
        mixed = code.let(f"xor {kind} {mixed}, {high}")
        mixed = code.let(f"mul {kind} {mixed}, splat (i64 {_signed(factor)})")
    high = code.let(f"lshr {kind} {mixed}, splat (i64 31)")
    mixed = code.let(f"xor {kind} {mixed}, {high}")
    return code.let(f"bitcast {kind} {mixed} to <{2 * n} x i16>")


def _all(code: Function, vector: str, value: str) -> str:
    """A vector full of one number."""
    count, _, kind = vector.split()
    one = code.let(f"insertelement <{vector}> poison, {kind} {value}, i32 0")
    zeros = f"<{count} x i32> zeroinitializer"
    return code.let(f"shufflevector <{vector}> {one}, <{vector}> poison, {zeros}")
