"""What was found once, on disk: a folder of entries, each of which says what it is."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from ..._atomic import write_whole


class Store:
    """A folder of entries by key.

    Whatever is wrong with the folder or an entry, there is none: no disk is an error.

    Args:
        folder: Where they are.
    """

    _MAGIC = b"gatewise"
    _SUFFIX = ".code"
    _LIMIT = 64 << 20

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def usual(cls) -> Store | None:
        """Give the user's folder; none where everybody can write to it."""
        folder = _folder()
        if folder is None:
            return None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(folder) if _is_ours(folder.stat()) else None
        except OSError:
            return None

    def read(self, key: bytes) -> bytes | None:
        """Give the content of a key; none where there is none or it is not what was written."""
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                if not _is_ours(os.fstat(file.fileno())):
                    return None
                content = file.read()
        except OSError:
            return None
        # A folder that is only read does not know what was used last.
        with suppress(OSError):
            os.utime(path)
        return self._unpack(key, content)

    def write(self, key: bytes, content: bytes) -> None:
        """Keep the content of a key, as well as can be."""
        path = self._path(key)
        try:
            # Half an entry is none: nobody has to wait for the disk.
            write_whole(path, self._head(key, content) + content, sync=False)
            path.chmod(0o600)
            self._prune()
        except OSError:
            pass

    def _path(self, key: bytes) -> Path:
        return self.folder / f"{key.hex()}{self._SUFFIX}"

    def _head(self, key: bytes, content: bytes) -> bytes:
        return self._MAGIC + key + hashlib.sha256(content).digest()

    def _unpack(self, key: bytes, whole: bytes) -> bytes | None:
        start = len(self._MAGIC) + 2 * 32
        head, content = whole[:start], whole[start:]
        return content if head == self._head(key, content) else None

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
    """Whether nobody but the user and root could have written it, as far as the system tells."""
    if sys.platform == "win32":
        return True
    return about.st_uid in (0, os.geteuid()) and not about.st_mode & stat.S_IWOTH
