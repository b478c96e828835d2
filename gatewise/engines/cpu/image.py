"""Machine code in one piece that runs wherever it is put: what LLVM's object files become.

To load a file of LLVM's own takes LLVM, which takes longer to load than all else that a first call
has to do. Only objects for x86-64 in the ELF format are known here; LLVM itself loads others.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import struct
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_MAGIC = b"\x7fELF\x02\x01"
_X86_64 = 62
_CONTENT, _RELOCATIONS, _SYMBOLS = 1, 4, 2
_LOADED, _WRITTEN, _THREADS = 2, 1, 0x400
_DISTANCES = (2, 4)
"""Kinds of places that hold how far it is to a symbol, in 32 bits."""

_JUMP = bytes.fromhex("ff2500000000")
"""Jumps to the address behind it."""

_LINE = 64


class Image(NamedTuple):
    """Code that is linked, except with functions of the system.

    Attributes:
        code: Instructions and constants.
        functions: Where the public functions begin.
        foreign: Where the addresses of functions of the system have to be written.
    """

    code: bytes
    functions: dict[str, int]
    foreign: dict[str, int]

    def packed(self) -> bytes:
        """The image as bytes."""
        about = json.dumps([self.functions, self.foreign]).encode()
        return struct.pack("<Q", len(about)) + about + self.code

    @classmethod
    def unpacked(cls, content: bytes) -> Image:
        """Undo `packed`."""
        (size,) = struct.unpack_from("<Q", content)
        return cls(content[8 + size :], *json.loads(content[8 : 8 + size]))


class Loaded:
    """An image in memory; its addresses hold as long as this lives.

    Args:
        image: What to load.

    Raises:
        OSError: The system lets no program make code.
        KeyError: The system lacks a function that the code calls.
    """

    def __init__(self, image: Image) -> None:
        self._pages = pages = mmap.mmap(-1, max(len(image.code), 1))
        pages[: len(image.code)] = image.code
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
        for name, place in image.foreign.items():
            struct.pack_into("<Q", pages, place, _of_system(name))
        if not _may_run(pages):
            raise OSError(ctypes.get_errno(), "this system lets no program make code as it runs")
        self._functions = image.functions

    def address(self, name: str) -> int:
        """Give the address of a public function.

        Raises:
            KeyError: There is none of that name.
        """
        return self._start + self._functions[name]


def linked(content: bytes) -> Image | None:
    """Link an object file, or give nothing where it is not as this file knows it."""
    if not content.startswith(_MAGIC) or struct.unpack_from("<H", content, 18) != (_X86_64,):
        return None
    sections = list(_sections(content))
    if any(s.flags & _LOADED and s.flags & (_WRITTEN | _THREADS) for s in sections):
        return None
    code, places = bytearray(), {}
    for k, section in enumerate(sections):
        # What unwinds the stack is of no use: nothing is thrown.
        if section.flags & _LOADED and section.kind == _CONTENT and section.name != ".eh_frame":
            code += bytes(-len(code) % max(section.align, 1))
            places[k] = len(code)
            code += content[section.offset : section.offset + section.size]
    symbols = next((_symbols(content, s, sections) for s in sections if s.kind == _SYMBOLS), [])
    foreign: dict[str, int] = {}
    for section in sections:
        if section.kind != _RELOCATIONS or section.info not in places:
            continue
        for at, info, more in struct.iter_unpack("<QQq", section.content(content)):
            symbol, place = symbols[info >> 32], places[section.info] + at
            if info & 0xFFFFFFFF not in _DISTANCES:
                return None
            if symbol.section in places:
                target = places[symbol.section] + symbol.value
            elif symbol.section == 0:
                target = _stub(code, symbol.name, foreign)
            else:
                return None
            struct.pack_into("<i", code, place, target + more - place)
    functions = {
        s.name: places[s.section] + s.value for s in symbols if s.is_public and s.section in places
    }
    return Image(bytes(code), functions, foreign)


def _stub(code: bytearray, name: str, foreign: dict[str, int]) -> int:
    """Where a function of the system is jumped to from."""
    if name not in foreign:
        code += bytes(-len(code) % _LINE) + _JUMP + bytes(8)
        foreign[name] = len(code) - 8
    return foreign[name] - len(_JUMP)


class _Section(NamedTuple):
    name: str
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int

    def content(self, content: bytes) -> bytes:
        return content[self.offset : self.offset + self.size]


class _Symbol(NamedTuple):
    name: str
    is_public: bool
    section: int
    value: int


def _sections(content: bytes) -> Iterator[_Section]:
    (start,) = struct.unpack_from("<Q", content, 40)
    _, count, names = struct.unpack_from("<HHH", content, 58)
    heads = [struct.unpack_from("<IIQQQQIIQQ", content, start + 64 * k) for k in range(count)]
    text = heads[names][4]
    for name, kind, flags, _, offset, size, link, info, align, _ in heads:
        yield _Section(_name(content, text + name), kind, flags, offset, size, link, info, align)


def _symbols(content: bytes, table: _Section, sections: list[_Section]) -> list[_Symbol]:
    text = sections[table.link].offset
    return [
        _Symbol(_name(content, text + name), info >> 4 == 1, section, value)
        for name, info, _, section, value, _ in struct.iter_unpack(
            "<IBBHQQ", table.content(content)
        )
    ]


def _name(content: bytes, at: int) -> str:
    return content[at : content.index(b"\0", at)].decode()


@lru_cache(maxsize=1)
def may_make_code() -> bool:
    """Whether this program may run what it wrote; where not, LLVM's own loading would crash it.

    Example:
        >>> may_make_code()
        True
    """
    return sys.platform == "win32" or _may_run(mmap.mmap(-1, mmap.PAGESIZE))


def _may_run(pages: mmap.mmap) -> bool:
    """Let what was written to pages be run, and no more be written; whether the system agreed."""
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    return not _mprotect()(start, len(pages), mmap.PROT_READ | mmap.PROT_EXEC)


@lru_cache(maxsize=1)
def _mprotect():
    function = ctypes.CDLL(None, use_errno=True).mprotect
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return function


def _of_system(name: str) -> int:
    try:
        function = ctypes.CDLL(None)[name]
    except AttributeError:
        raise KeyError(f"the system has no function {name}") from None
    return ctypes.cast(function, ctypes.c_void_p).value or 0
