"""LLVM's text to machine code, which is kept in memory and on disk."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

from ..._atomic import write_whole
from .host import Host, initialize

_OPT = 2
_FORMAT = 1


class Library:
    """Compiled functions; their addresses hold until the process ends."""

    def __init__(self, engine: llvm.ExecutionEngine) -> None:
        self._engine = engine

    def address(self, name: str) -> int:
        """Give the address of a public function.

        Raises:
            KeyError: There is none of that name.
        """
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


def compile_text(text: str, host: Host) -> Library:
    """Compile a module as it stands, or find what an earlier call or process made of it.

    No pass optimises: the text says what the machine does.

    Args:
        text: A module in LLVM's language.
        host: The machine; it must be the one that this process runs on.

    Returns:
        The functions, the same ones for the same text and host.

    Raises:
        RuntimeError: LLVM does not understand the text.
    """
    key = _key(text, host)
    with _lock:
        if key not in _libraries:
            store = _Store.usual()
            code = store.read(key) if store else None
            if code is None:
                code = _code(text, host)
                if store:
                    store.write(key, code)
            _libraries[key] = _load(code, host)
        return _libraries[key]


def assembly(text: str, host: Host) -> str:
    """Give the module as assembly, for whatever machine, without running it."""
    machine = host.target_machine(_OPT)
    return machine.emit_assembly(_parse(text, host))


def _key(text: str, host: Host) -> bytes:
    """What the machine code depends on, as one number."""
    versions = (llvmlite.__version__, llvm.llvm_version_info, _FORMAT, _OPT)
    about = repr((versions, host.triple, host.cpu, host.features))
    return hashlib.sha256(f"{about}\n{text}".encode()).digest()


def _parse(text: str, host: Host) -> llvm.ModuleRef:
    module = llvm.parse_assembly(text)
    module.triple = host.triple
    module.verify()
    return module


def _code(text: str, host: Host) -> bytes:
    machine = host.target_machine(_OPT)
    return machine.emit_object(_parse(text, host))


def _load(code: bytes, host: Host) -> Library:
    initialize()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), host.target_machine(_OPT))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Library(engine)


class _Store:
    """Machine code on disk: a folder of entries, each of which says what it is.

    Whatever is wrong with the folder or an entry, the code is compiled again: no disk is an error.
    """

    _MAGIC = b"gatewise"
    _SUFFIX = ".code"
    _LIMIT = 64 << 20

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def usual(cls) -> _Store | None:
        """Give the user's own folder; none where there is none that only the user can write to."""
        folder = _folder()
        if folder is None:
            return None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(folder) if _is_ours(folder.stat()) else None
        except OSError:
            return None

    def read(self, key: bytes) -> bytes | None:
        """Give the code of a key; none where there is none or it is not what was written."""
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                if not _is_ours(os.fstat(file.fileno())):
                    return None
                content = file.read()
            os.utime(path)
        except OSError:
            return None
        return self._unpack(key, content)

    def write(self, key: bytes, code: bytes) -> None:
        """Keep the code of a key, as well as can be."""
        path = self._path(key)
        try:
            write_whole(path, self._pack(key, code))
            path.chmod(0o600)
            self._prune()
        except OSError:
            pass

    def _path(self, key: bytes) -> Path:
        return self.folder / f"{key.hex()}{self._SUFFIX}"

    def _head(self, key: bytes, code: bytes) -> bytes:
        return self._MAGIC + key + hashlib.sha256(code).digest()

    def _pack(self, key: bytes, code: bytes) -> bytes:
        return self._head(key, code) + code

    def _unpack(self, key: bytes, content: bytes) -> bytes | None:
        start = len(self._MAGIC) + 2 * 32
        head, code = content[:start], content[start:]
        return code if head == self._head(key, code) else None

    def _prune(self) -> None:
        """Remove the entries that were not used for longest where there are too many."""
        files = [(path, path.stat()) for path in self.folder.glob(f"*{self._SUFFIX}*")]
        total = sum(about.st_size for _, about in files)
        for path, about in sorted(files, key=lambda file: file[1].st_mtime):
            if total <= self._LIMIT:
                break
            path.unlink(missing_ok=True)
            total -= about.st_size


def _folder() -> Path | None:
    """Where entries are kept, or none: `GATEWISE_CACHE`, else the system's place for such."""
    given = os.environ.get("GATEWISE_CACHE")
    if given is not None:
        return Path(given) if given else None
    variable, usual = (
        ("LOCALAPPDATA", "") if sys.platform == "win32" else ("XDG_CACHE_HOME", "~/.cache")
    )
    base = Path(os.path.expanduser(os.environ.get(variable) or usual))
    return base / "gatewise" if base.is_absolute() else None


def _is_ours(about: os.stat_result) -> bool:
    """Whether nobody else could have written it, as far as the system tells."""
    if sys.platform == "win32":
        return True
    return about.st_uid == os.geteuid() and not about.st_mode & stat.S_IWOTH
