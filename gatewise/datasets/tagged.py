"""Public sets of tagged sequences, as `gatewise.SequenceTagger` takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..data.files.tables import read_file
from ..data.tagging.columns_spec import TagColumns
from ..data.tagging.reading import read_tagged
from ..data.tagging.tagged import Tagged
from .fetch import find

SHARED = 12
"""Residues in a row that two chains must share to count as relatives."""


def ud_english_ewt(
    part: Literal["dev", "test"], root: str | Path | None = None, labels: tuple[str, ...] = ()
) -> Tagged:
    """English sentences of the web with their parts of speech.

    Args:
        part: "dev", 2,001 sentences, or "test", 2,077.
        root: Folder of the data sets, as in `find`.
        labels: Columns of tags; `upos` when left out.

    Raises:
        InputError: The set is not there and cannot be downloaded.
    """
    path = find("ud_english_ewt", root) / f"en_ewt-ud-{part}.conllu"
    return read_tagged(path, columns=TagColumns(label=labels))


def cb513(root: str | Path | None = None, *, every: bool = False) -> Tagged:
    """Protein chains with the secondary structure of each residue, in 3 and in 8 states.

    The file has a row for each domain, with the whole chain in it; here a chain stands once, with
    the residues of all its domains counted (`cb513_mask`). Chains that share `SHARED` residues in
    a row are of one group, to be kept on one side of a split. Cuff & Barton 1999
    (https://doi.org/10.1002/(SICI)1097-0134(19990301)34:4%3C508::AID-PROT10%3E3.0.CO;2-4).

    Args:
        root: Folder of the data sets, as in `find`.
        every: Whether to give the structure of all residues that have one, rather than of those
            of CB513's domains alone: more to learn from, and not what is judged on.

    Raises:
        InputError: The set is not there and cannot be downloaded.
    """
    table = read_file(find("cb513", root) / "CB513_HHblits.csv")
    names = ("input", "dssp3", "dssp8", "disorder" if every else "cb513_mask")
    columns = [[str(cell).split() for cell in table.load(name)] for name in names]
    chains: dict[tuple[str, ...], list[list[str | None]]] = {}
    for tokens, three, eight, mask in zip(*columns, strict=True):
        held = chains.setdefault(tuple(tokens), [[None] * len(tokens), [None] * len(tokens)])
        for place, counts in enumerate(mask):
            if float(counts):
                held[0][place], held[1][place] = three[place], eight[place]
    labels = {name: [held[k] for held in chains.values()] for k, name in enumerate(names[1:3])}
    tokens = list(chains)
    return Tagged.of(
        tokens,
        labels,
        names=tuple(f"chain {i + 1}" for i in range(len(tokens))),
        groups=tuple(_relatives(["".join(chain) for chain in tokens])),
        kind="list",
    )


def _relatives(chains: list[str]) -> list[int]:
    """Number of each chain's group: that of its first relative."""
    group = list(range(len(chains)))
    first: dict[str, int] = {}
    for i, chain in enumerate(chains):
        for start in range(len(chain) - SHARED + 1):
            other = group[first.setdefault(chain[start : start + SHARED], i)]
            if other != group[i]:
                low, high = sorted((other, group[i]))
                group = [low if g == high else g for g in group]
    return group
