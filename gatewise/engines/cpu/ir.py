"""LLVM's text, written directly: names for values, loops, and vectors of one width."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Lanes:
    """The vector that a kernel computes with.

    Attributes:
        kind: `"float"` or `"double"`, as LLVM says it.
        count: Numbers in one vector.
    """

    kind: str
    count: int

    @property
    def size(self) -> int:
        """Bytes of one number."""
        return 4 if self.kind == "float" else 8

    @property
    def type(self) -> str:
        """The vector's type."""
        return f"<{self.count} x {self.kind}>"

    @property
    def integers(self) -> str:
        """The type of a vector of whole numbers with as many bits."""
        return f"<{self.count} x i{8 * self.size}>"

    @property
    def bits(self) -> str:
        """The type of what a comparison gives."""
        return f"<{self.count} x i1>"

    @property
    def suffix(self) -> str:
        """How intrinsics name the type: `v16f32`."""
        return f"v{self.count}f{8 * self.size}"

    def number(self, value: float) -> str:
        """One number as LLVM reads it without loss: the bits of its double."""
        if self.kind == "float":
            value = struct.unpack("f", struct.pack("f", value))[0]
        return f"0x{struct.unpack('Q', struct.pack('d', value))[0]:016X}"

    def splat(self, value: float) -> str:
        """A vector of one number, as an operand.

        Example:
            >>> Lanes("float", 16).splat(1.0)
            'splat (float 0x3FF0000000000000)'
        """
        return f"splat ({self.kind} {self.number(value)})"

    def whole(self, value: int) -> str:
        """A vector of one whole number, as an operand."""
        return f"splat (i{8 * self.size} {value})"


class Module:
    """Functions, and what they declare, as one text."""

    def __init__(self) -> None:
        self._functions: list[str] = []
        self._declared: dict[str, str] = {}

    def declare(self, name: str, signature: str) -> str:
        """Declare what is defined elsewhere, once; give its name."""
        self._declared[name] = signature
        return name

    def add(self, function: Function) -> None:
        """Take a finished function."""
        self._functions.append(function.text())

    def text(self) -> str:
        """The whole module."""
        declared = [s for n, s in self._declared.items()]
        return "\n".join([*declared, *self._functions, ""])


class Function:
    """The body of one function, written line by line.

    Values are text: `%v3`, or a constant. Every method that computes returns one.

    Args:
        module: Where intrinsics are declared.
        name: Of the function.
        arguments: Type and name of each, as `("ptr", "%ctx")`.
        lanes: The vector of its arithmetic.
        returns: Type of its result.
        public: Whether other modules may call it.
    """

    def __init__(
        self,
        module: Module,
        name: str,
        arguments: Sequence[tuple[str, str]],
        lanes: Lanes,
        *,
        returns: str = "void",
        public: bool = False,
    ) -> None:
        self.module, self.name, self.lanes = module, name, lanes
        linkage = "" if public else "internal "
        given = ", ".join(f"{kind} {argument}" for kind, argument in arguments)
        inline = "nounwind" if public else "nounwind noinline"
        self._head = f"define {linkage}{returns} @{name}({given}) {inline} {{"
        self._lines: list[str | list[str]] = []
        self._first: list[str] = []
        self._count = 0
        self.here = "entry"
        self.block("entry")

    def text(self) -> str:
        """The function as LLVM reads it."""
        entry, *body = (line for part in self._lines for line in _flat(part))
        return "\n".join([self._head, entry, *self._first, *body, "}"])

    # Lines

    def fresh(self, stem: str = "v") -> str:
        """A name that no other value has."""
        self._count += 1
        return f"%{stem}{self._count}"

    def do(self, line: str) -> None:
        """Write a line that has no result."""
        self._lines.append(f"  {line}")

    def let(self, right: str, name: str | None = None) -> str:
        """Write a line that has one; give its name."""
        name = name or self.fresh()
        self._lines.append(f"  {name} = {right}")
        return name

    def first(self, right: str) -> str:
        """Write a line at the very beginning, where it reaches all others; give its name."""
        name = self.fresh()
        self._first.append(f"  {name} = {right}")
        return name

    def place(self) -> list[str]:
        """Leave a place here that is written at later; see `at`."""
        place: list[str] = []
        self._lines.append(place)
        return place

    @contextmanager
    def at(self, place: list[str]) -> Iterator[None]:
        """Write what is written inside, which must not branch, at a place left before."""
        here, self._lines = self._lines, place  # pyright: ignore[reportAttributeAccessIssue]
        yield
        self._lines = here

    def block(self, label: str) -> None:
        """Begin a block; what comes before must have branched."""
        self._lines.append(f"{label}:")
        self.here = label

    def jump(self, label: str) -> None:
        """Branch to a block."""
        self.do(f"br label %{label}")

    def branch(self, condition: str, then: str, other: str) -> None:
        """Branch to one of two blocks."""
        self.do(f"br i1 {condition}, label %{then}, label %{other}")

    def label(self, stem: str) -> str:
        """A label that no other block has."""
        return self.fresh(stem)[1:]

    @contextmanager
    def loop(self, start: str, end: str, step: str = "1", *, down: bool = False) -> Iterator[str]:
        """Repeat what is written inside for a counter from `start` up to, not including, `end`.

        With `down`, from `end - 1` down to `start`, one by one.
        """
        begin, body, leave = self.label("h"), self.label("b"), self.label("e")
        counter, after = self.fresh("i"), self.fresh("n")
        before = self.here
        latch = self.label("l")
        self.jump(begin)
        self.block(begin)
        first = end if down else start
        self.let(f"phi i64 [ {first}, %{before} ], [ {after}, %{latch} ]", counter)
        test = f"icmp sgt i64 {counter}, {start}" if down else f"icmp slt i64 {counter}, {end}"
        self.branch(self.let(test), body, leave)
        self.block(body)
        yield self.let(f"sub i64 {counter}, 1") if down else counter
        self.jump(latch)
        self.block(latch)
        self.let(f"sub i64 {counter}, 1" if down else f"add i64 {counter}, {step}", after)
        self.jump(begin)
        self.block(leave)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Do what is written inside only where the condition holds."""
        body, leave = self.label("then"), self.label("fi")
        self.branch(condition, body, leave)
        self.block(body)
        yield
        self.jump(leave)
        self.block(leave)

    # Whole numbers and addresses

    def add(self, a: str, b: str) -> str:
        """`a + b` of i64."""
        return self.let(f"add i64 {a}, {b}")

    def sub(self, a: str, b: str) -> str:
        """`a - b` of i64."""
        return self.let(f"sub i64 {a}, {b}")

    def mul(self, a: str, b: str | int) -> str:
        """`a * b` of i64."""
        return self.let(f"mul i64 {a}, {b}")

    def less(self, a: str, b: str) -> str:
        """Whether `a < b`, of i64."""
        return self.let(f"icmp slt i64 {a}, {b}")

    def least(self, a: str, b: str) -> str:
        """The smaller of two i64."""
        return self.let(f"select i1 {self.less(a, b)}, i64 {a}, i64 {b}")

    def offset(self, pointer: str, count: str | int, kind: str | None = None) -> str:
        """The address `count` numbers (or values of `kind`) further."""
        return self.let(f"getelementptr {kind or self.lanes.kind}, ptr {pointer}, i64 {count}")

    def word(self, pointer: str, index: str | int = 0) -> str:
        """The i64 at an index."""
        at = self.offset(pointer, index, "i64")
        return self.let(f"load i64, ptr {at}")

    def pointer(self, pointer: str, index: str | int = 0) -> str:
        """The address that is stored at an index."""
        at = self.offset(pointer, index, "i64")
        return self.let(f"load ptr, ptr {at}")

    # Vectors

    def load(self, pointer: str, count: str | int = 0) -> str:
        """The vector that begins `count` numbers behind an address."""
        at = self.offset(pointer, count) if count else pointer
        return self.let(f"load {self.lanes.type}, ptr {at}, align {self.lanes.size}")

    def load_bfloat(self, pointer: str, count: str | int = 0) -> str:
        """The vector of floats whose upper halves stand side by side behind an address."""
        n = self.lanes.count
        at = self.offset(pointer, count, "i16") if count else pointer
        half = self.let(f"load <{n} x i16>, ptr {at}, align 2")
        wide = self.let(f"zext <{n} x i16> {half} to <{n} x i32>")
        bits = self.let(f"shl <{n} x i32> {wide}, splat (i32 16)")
        return self.let(f"bitcast <{n} x i32> {bits} to {self.lanes.type}")

    def store(self, value: str, pointer: str, count: str | int = 0) -> None:
        """Write a vector `count` numbers behind an address."""
        at = self.offset(pointer, count) if count else pointer
        self.do(f"store {self.lanes.type} {value}, ptr {at}, align {self.lanes.size}")

    def prefetch(self, pointer: str) -> None:
        """Bring the line of an address near, for a while from now."""
        name = self.module.declare(
            "@llvm.prefetch.p0", "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
        )
        self.do(f"call void {name}(ptr {pointer}, i32 0, i32 2, i32 1)")

    def mask(self, left: str) -> str:
        """The lanes below an i64: those of a vector that are there at a row's end."""
        lanes, width = self.lanes, f"i{8 * self.lanes.size}"
        narrow = left if width == "i64" else self.let(f"trunc i64 {left} to {width}")
        first = self.let(f"insertelement {lanes.integers} poison, {width} {narrow}, i32 0")
        zeros = f"<{lanes.count} x i32> zeroinitializer"
        all_ = self.let(f"shufflevector {lanes.integers} {first}, {lanes.integers} poison, {zeros}")
        numbers = ", ".join(f"{width} {k}" for k in range(lanes.count))
        return self.let(f"icmp slt {lanes.integers} <{numbers}>, {all_}")

    def load_part(self, pointer: str, mask: str) -> str:
        """A vector of which only some lanes are there; the others are 0."""
        lanes = self.lanes
        name = self.module.declare(
            f"@llvm.masked.load.{lanes.suffix}.p0",
            f"declare {lanes.type} @llvm.masked.load.{lanes.suffix}.p0"
            f"(ptr, i32, {lanes.bits}, {lanes.type})",
        )
        return self.let(
            f"call {lanes.type} {name}(ptr {pointer}, i32 {lanes.size}, {lanes.bits} {mask}, "
            f"{lanes.type} zeroinitializer)"
        )

    def store_part(self, value: str, pointer: str, mask: str) -> None:
        """Write only some lanes of a vector."""
        lanes = self.lanes
        name = self.module.declare(
            f"@llvm.masked.store.{lanes.suffix}.p0",
            f"declare void @llvm.masked.store.{lanes.suffix}.p0"
            f"({lanes.type}, ptr, i32, {lanes.bits})",
        )
        self.do(
            f"call void {name}({lanes.type} {value}, ptr {pointer}, i32 {lanes.size}, "
            f"{lanes.bits} {mask})"
        )

    def broadcast(self, pointer: str, count: str | int = 0) -> str:
        """A vector full of the number that stands `count` numbers behind an address."""
        lanes = self.lanes
        at = self.offset(pointer, count) if count else pointer
        one = self.let(f"load {lanes.kind}, ptr {at}, align {lanes.size}")
        first = self.let(f"insertelement {lanes.type} poison, {lanes.kind} {one}, i32 0")
        zeros = f"<{lanes.count} x i32> zeroinitializer"
        return self.let(f"shufflevector {lanes.type} {first}, {lanes.type} poison, {zeros}")

    def intrinsic(self, stem: str, *operands: str, name: str | None = None) -> str:
        """What an intrinsic of vectors gives, such as `fmuladd`."""
        lanes = self.lanes
        full = f"@llvm.{stem}.{lanes.suffix}"
        kinds = ", ".join([lanes.type] * len(operands))
        self.module.declare(full, f"declare {lanes.type} {full}({kinds})")
        given = ", ".join(f"{lanes.type} {operand}" for operand in operands)
        return self.let(f"call {lanes.type} {full}({given})", name)

    def fma(self, a: str, b: str, c: str, name: str | None = None) -> str:
        """`a * b + c`, in one rounding where the machine has it."""
        return self.intrinsic("fmuladd", a, b, c, name=name)

    def arithmetic(self, op: str, a: str, b: str) -> str:
        """`fadd`, `fsub`, `fmul` or `fdiv`; a product and a sum may be one operation."""
        return self.let(f"{op} contract {self.lanes.type} {a}, {b}")

    def select(self, condition: str, then: str, other: str) -> str:
        """Lane by lane `then` where the condition holds, else `other`."""
        lanes = self.lanes
        return self.let(
            f"select {lanes.bits} {condition}, {lanes.type} {then}, {lanes.type} {other}"
        )

    def compare(self, how: str, a: str, b: str) -> str:
        """Compare lane by lane: `how` is LLVM's `olt`, `ogt`, `uno`, ..."""
        return self.let(f"fcmp {how} {self.lanes.type} {a}, {b}")


def _flat(part: str | list[str]) -> list[str]:
    return [part] if isinstance(part, str) else part
