"""Write a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: str | Path, content: bytes, *, sync: bool = True) -> None:
    """Write beside `path` and rename, so that no reader and no full disk sees half a file.

    Args:
        path: File to write; replaced if it is there. A device or a pipe is written to as it is.
        content: All of it.
        sync: Whether to wait until the disk has it, so that it outlives a loss of power.

    Raises:
        OSError: The folder is missing, closed or full; nothing is left behind.

    Example:
        >>> folder = tempfile.TemporaryDirectory()
        >>> write_whole(Path(folder.name) / "a.txt", b"whole")
        >>> os.listdir(folder.name)
        ['a.txt']
        >>> folder.cleanup()
    """
    path = Path(path).resolve()
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(beside, _usual_mode(path))
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _usual_mode(path: Path) -> int:
    """Give the permissions that an ordinary `open` would have left, where mkstemp keeps to 0600."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
