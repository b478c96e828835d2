"""Amino acids: which are like which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

LETTERS = "ACDEFGHIKLMNPQRSTVWY"

FEWEST = 15
"""Different amino acids that a set of letters has to hold to be one of proteins."""

_BLOSUM62 = """
4
0 9
-2 -3 6
-1 -4 2 5
-2 -2 -3 -3 6
0 -3 -1 -2 -3 6
-2 -3 -1 0 -1 -2 8
-1 -1 -3 -3 0 -4 -3 4
-1 -3 -1 1 -3 -2 -1 -3 5
-1 -1 -4 -3 0 -4 -3 2 -2 4
-1 -1 -3 -2 0 -3 -2 1 -1 2 5
-2 -3 1 0 -3 0 1 -3 0 -3 -2 6
-1 -3 -1 -1 -4 -2 -2 -3 -1 -3 -2 -2 7
-1 -3 0 2 -3 -2 0 -3 1 -2 0 0 -1 5
-1 -3 -2 0 -3 -2 0 -3 2 -2 -1 0 -2 1 5
1 -1 0 0 -2 0 -1 -2 0 -2 -1 1 -1 0 -1 4
0 -1 -1 -1 -2 -2 -2 -1 -1 -1 -1 0 -1 -1 -1 1 5
0 -1 -3 -2 -1 -3 -3 3 -2 1 1 -3 -2 -2 -3 -2 0 4
-3 -2 -4 -3 1 -2 -2 -3 -3 -2 -1 -4 -4 -2 -3 -3 -2 -3 11
-2 -2 -3 -2 3 -3 2 -1 -2 -1 -1 -2 -3 -1 -2 -2 -2 -1 2 7
"""


def blosum62() -> np.ndarray:
    """How much more often than by chance two amino acids stand for each other, in half bits.

    Henikoff & Henikoff 1992 (https://doi.org/10.1073/pnas.89.22.10915).

    Returns:
        int64 [20, 20], in the order of `LETTERS`.

    Example:
        >>> int(blosum62()[LETTERS.index("I"), LETTERS.index("V")])
        3
    """
    lower = np.zeros((20, 20), dtype=np.int64)
    lower[np.tril_indices(20)] = [int(n) for n in _BLOSUM62.split()]
    return lower + np.tril(lower, -1).T


def are_residues(tokens: Iterable[str]) -> bool:
    """Whether the tokens are the letters of proteins, rather than those of DNA or of words.

    Example:
        >>> are_residues("ACDEFGHIKLMNPQRSTVWYX"), are_residues("ACGT")
        (True, False)
    """
    held = set(tokens)
    return len(held & set(LETTERS)) >= FEWEST and all(t.isupper() and len(t) == 1 for t in held)


def substitutes(counts: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Probability of each amino acid to stand in the place of another in a related protein.

    Args:
        counts: How often each occurs.

    Returns:
        For each that occurs, the probabilities of those that may stand for it, itself too.

    Example:
        >>> chance = substitutes({"I": 1, "V": 1, "D": 1})["I"]
        >>> chance["V"] > 5 * chance["D"]
        True
    """
    held = [letter for letter in LETTERS if counts.get(letter, 0) > 0]
    places = [LETTERS.index(letter) for letter in held]
    odds = 2.0 ** (blosum62()[np.ix_(places, places)] / 2) * [counts[letter] for letter in held]
    odds /= odds.sum(1, keepdims=True)
    return {
        a: dict(zip(held, row, strict=True)) for a, row in zip(held, odds.tolist(), strict=True)
    }
