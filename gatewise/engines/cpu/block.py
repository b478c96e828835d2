"""The argument block of a function, as LLVM's text reads and writes it."""

from __future__ import annotations

from .ir import Function
from .words import Words


class Block:
    """A block as a function sees it: each word is read once, when the function begins."""

    def __init__(self, code: Function, words: Words, base: str = "%block") -> None:
        self.code, self.words, self.base = code, words, base
        self._read: dict[tuple[str, str], str] = {}

    def word(self, name: str) -> str:
        """A whole number of the block."""
        return self._once("i64", name)

    def pointer(self, name: str) -> str:
        """An address of the block."""
        return self._once("ptr", name)

    def put(self, name: str, value: str, kind: str = "i64") -> None:
        """Write a word."""
        at = self.code.offset(self.base, self.words[name], "i64")
        self.code.do(f"store {kind} {value}, ptr {at}")

    def _once(self, kind: str, name: str) -> str:
        key = (kind, name)
        if key not in self._read:
            place = self.words[name]
            at = self.code.first(f"getelementptr i64, ptr {self.base}, i64 {place}")
            self._read[key] = self.code.first(f"load {kind}, ptr {at}")
        return self._read[key]
