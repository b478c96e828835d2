"""LLVM's text to machine code, which is kept in memory and on disk."""

from __future__ import annotations

import gc
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .host import Host, initialize
from .image import Image, Loaded, linked
from .store import Store

if TYPE_CHECKING:
    import llvmlite.binding as llvm

_OPT = 1
_FORMAT = 2
_IMAGE, _OBJECT = b"image   ", b"object  "
"""What an entry on disk begins with."""


class Library(Protocol):
    """Compiled functions; their addresses hold as long as this lives, here until the end."""

    def address(self, name: str) -> int:
        """Give the address of a public function.

        Raises:
            KeyError: There is none of that name.
        """
        ...


class _ByLlvm:
    """Functions that LLVM has loaded, where `image` cannot."""

    def __init__(self, code: bytes, host: Host) -> None:
        import llvmlite.binding as llvm

        initialize()
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), host.target_machine(_OPT))
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        self._engine = engine

    def address(self, name: str) -> int:
        """See `Library.address`."""
        address = self._engine.get_function_address(name)
        if not address:
            raise KeyError(name)
        return address


_libraries: dict[bytes, Library] = {}
_lock = threading.RLock()

if hasattr(os, "register_at_fork"):
    # A child that forks amid a compilation would find LLVM locked for ever.
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


def compiled(about: str, write: Callable[[], str], host: Host) -> Library:
    """Compile a module as it stands, or find what an earlier call or process made of it.

    No pass optimises: the text says what the machine does. Where it was compiled before, the text
    is not even written: it follows from `about`, the host and the source files of this package.

    Args:
        about: What tells the text apart from all others.
        write: Gives the module in LLVM's language.
        host: The machine; it must be the one that this process runs on.

    Returns:
        The functions, the same ones for the same text and host.

    Raises:
        RuntimeError: LLVM does not understand the text.
    """
    key = _key(about, host)
    with _lock:
        if key not in _libraries:
            store = Store.usual()
            code = store.read(key) if store else None
            if code is None:
                with _without_collection():
                    code = _code(write(), host)
                image = linked(code)
                code = _OBJECT + code if image is None else _IMAGE + image.packed()
                if store:
                    store.write(key, code)
            _libraries[key] = _load(code, host)
        return _libraries[key]


@contextmanager
def _without_collection() -> Iterator[None]:
    """Make text without looks for garbage: there is none, and they go through all of torch."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def compile_text(text: str, host: Host) -> Library:
    """Compile a text that is there already; see `compiled`."""
    return compiled(text, lambda: text, host)


def assembly(text: str, host: Host) -> str:
    """Give the module as assembly, for whatever machine, without running it."""
    machine = host.target_machine(_OPT)
    return machine.emit_assembly(_parse(text, host))


def _key(about: str, host: Host) -> bytes:
    """What the machine code depends on, as one number."""
    import llvmlite

    what = repr((llvmlite.__version__, _FORMAT, _OPT, host, _sources()))
    return hashlib.sha256(f"{what}\n{about}".encode()).digest()


@lru_cache(maxsize=1)
def _sources() -> str:
    """The source files that write text, as one number."""
    here, digest = Path(__file__).parent, hashlib.sha256()
    for folder in (here, here.parents[1] / "compiler"):
        for path in sorted(folder.glob("*.py*")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _parse(text: str, host: Host) -> llvm.ModuleRef:
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(text)
    module.triple = host.triple
    module.verify()
    return module


def _code(text: str, host: Host) -> bytes:
    machine = host.target_machine(_OPT)
    return machine.emit_object(_parse(text, host))


def _load(content: bytes, host: Host) -> Library:
    kind, code = content[: len(_IMAGE)], content[len(_IMAGE) :]
    return Loaded(Image.unpacked(code)) if kind == _IMAGE else _ByLlvm(code, host)
