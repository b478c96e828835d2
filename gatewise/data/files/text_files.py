"""UTF-8 text files, plain or gzip, whole or as a stream."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from ...errors import InputError
from .tables import missing

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | Path) -> str:
    r"""Read a whole text file.

    The encoding is UTF-8, with or without a byte order mark; gzip is unpacked. CRLF becomes LF;
    every other character stays, NUL and a lone CR too.

    Args:
        path: The file; what is packed by gzip is found by its first bytes.

    Raises:
        InputError: The file is missing, cannot be read or unpacked, or is not UTF-8; the sentence
            names the offset of the first wrong byte (after unpacking).

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo")
        ...     read_text(Path(folder, "a.txt"))
        'one\ntwo'
    """
    return "".join(stream_text(path))


def read_lines(path: str | Path) -> list[str]:
    r"""Read a text file's lines, without their ends; only LF and CRLF end a line.

    Args:
        path: As in `read_text`.

    Raises:
        InputError: As in `read_text`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.txt").write_bytes(b"one\r\n\ntwo\n")
        ...     read_lines(Path(folder, "a.txt"))
        ['one', '', 'two']
    """
    return list(stream_lines(path))


def stream_lines(path: str | Path) -> Iterator[str]:
    """Give a text file's lines one by one, as in `read_lines`, in memory for the longest line.

    Args:
        path: As in `read_text`.

    Raises:
        InputError: As in `read_text`, once the place is reached.
    """
    held: list[str] = []
    for piece in stream_text(path):
        first, *others = piece.split("\n")
        held.append(first)
        for line in others:
            yield "".join(held)
            held = [line]
    if last := "".join(held):
        yield last


def stream_text(path: str | Path, size: int = _PIECE) -> Iterator[str]:
    """Give a text file piece by piece, for files that are larger than memory.

    Args:
        path: As in `read_text`.
        size: Bytes of a piece.

    Raises:
        InputError: As in `read_text`, once the place is reached.
    """
    path = Path(path)
    decoder = codecs.getincrementaldecoder("utf-8")()
    read, held = 0, ""
    for piece in _pieces(path, size):
        data = piece
        if read == 0:
            if data.startswith(_UTF16):
                raise InputError(f"{path} is UTF-16; save it as UTF-8")
            data = data.removeprefix(codecs.BOM_UTF8)
        read += len(piece)
        text = held + _decoded(path, decoder, data, read, final=False)
        # A CR may be the first half of a CRLF.
        held = "\r" if text.endswith("\r") else ""
        yield text.removesuffix("\r").replace("\r\n", "\n")
    if last := held + _decoded(path, decoder, b"", read, final=True):
        yield last


def _decoded(
    path: Path, decoder: codecs.IncrementalDecoder, data: bytes, read: int, final: bool
) -> str:
    try:
        return decoder.decode(data, final)
    except UnicodeDecodeError as error:
        offset = read - len(error.object) + error.start
        raise InputError(
            f"{path} is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {offset} "
            "does not fit; save it as UTF-8"
        ) from None


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP or path.suffix.lower() == ".gz"
            file.seek(0)
            source = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
            while piece := source.read(size):
                yield piece
    except FileNotFoundError:
        raise missing(path) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{path} is not a whole gzip file; pack it again") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; name a file in it") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
