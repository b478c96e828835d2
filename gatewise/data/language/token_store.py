"""Long rows of token numbers, as small as they can be held."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_IN_MEMORY = 64 << 20
"""Bytes of numbers from which on they lie in a file that the system removes by itself."""


class TokenStore:
    """Takes numbers piece by piece and gives them as one array.

    Args:
        size: How many different numbers there are, from 0; decides on one, two or four bytes.
        most: Bytes to hold in memory; what is more goes to an unnamed temporary file.

    Example:
        >>> store = TokenStore(300)
        >>> store.add([1, 2]), store.add([299])
        (None, None)
        >>> store.array()
        array([  1,   2, 299], dtype=uint16)
    """

    def __init__(self, size: int, most: int = MOST_IN_MEMORY) -> None:
        self.dtype = np.min_scalar_type(max(size - 1, 0))
        self.count = 0
        self._most = most
        self._pieces: list[NDArray[Any]] = []
        self._file: Any = None

    def __len__(self) -> int:
        """Numbers so far."""
        return self.count

    def add(self, numbers: Sequence[int]) -> None:
        """Take the next numbers."""
        piece = np.asarray(numbers, self.dtype)
        self.count += len(piece)
        if self._file is None and self.count * self.dtype.itemsize > self._most:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as its map
            for held in self._pieces:
                held.tofile(self._file)
            self._pieces = []
        if self._file is None:
            self._pieces.append(piece)
        else:
            piece.tofile(self._file)

    def array(self) -> NDArray[Any]:
        """All numbers, to be asked for once; they are not copied where they lie in a file."""
        if self._file is None:
            return np.concatenate([np.zeros(0, self.dtype), *self._pieces])
        # The map keeps what it shows after the file is closed.
        with self._file as file:
            file.flush()
            return np.memmap(file, self.dtype, "r", shape=(self.count,))

    def __del__(self) -> None:
        """Let go of a file that was not asked for, since reading broke off."""
        if self._file is not None:
            self._file.close()
