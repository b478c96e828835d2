"""Whatever a person has of tagged sequences, to one form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ..files.frames import from_frame, is_frame
from ..files.tables import read_file
from .columns_spec import TagColumns
from .files import CONLL, FASTA, _kind, read_conll, read_labelled_fasta
from .tables import from_table
from .tagged import Tagged

STRUCTURES = (".pdb", ".ent", ".cif", ".mmcif", ".bcif")


def read_tagged(
    x: Any,
    y: Any = None,
    columns: TagColumns = TagColumns(),
    *,
    labelled: bool = True,
    letters: bool = False,
    known: Collection[str] = (),
) -> Tagged:
    """Read tagged sequences from a file, several files, a frame or lists.

    Args:
        x: A path: CoNLL columns (`.conllu`, `.conll`, `.bio`, ...), FASTA with labels, PDB or
            mmCIF (`.pdb`, `.cif`), or a table (`.csv`, `.tsv`, `.parquet`); a folder, or a list of
            `Path`; a frame of those columns; lists of tokens, texts, or pairs of tokens and tags;
            arrays [steps, channels].
        y: Tags of lists: a list for each sequence, or a mapping of such by name.
        columns: Which columns mean what.
        labelled: Whether tags are asked for.
        letters: Whether a text without tags is read letter by letter, not word by word.
        known: Tags that are known already.

    Raises:
        InputError: It cannot be read, or holds no tags where they are asked for.

    Example:
        >>> read_tagged([(["a", "rose"], ["DET", "NOUN"])]).tokens
        (('a', 'rose'),)
    """
    if isinstance(x, Tagged):
        made = x
    elif isinstance(x, (str, Path)):
        made = _file(Path(x), columns, labelled, known)
    elif is_frame(x):
        made = from_table(from_frame(x), columns, labelled=labelled)
    elif isinstance(x, (list, tuple)) and x and all(isinstance(p, Path) for p in x):
        made = joined([_file(p, columns, labelled, known) for p in x])
    elif isinstance(x, (Sequence, np.ndarray)) and not isinstance(x, (bytes, bytearray)):
        made = _lists(x, y, labelled, letters)
    else:
        raise InputError(
            f"sequences cannot be read from a {type(x).__name__}: give a file, a frame, or lists "
            "of tokens"
        )
    if labelled and not made.labels:
        raise InputError("there are no tags in the data: give them as y, or as a column")
    return made


def joined(parts: Sequence[Tagged]) -> Tagged:
    """Put what several files hold together.

    Raises:
        InputError: They do not hold the same things.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.channels != first.channels or part.labels.keys() != first.labels.keys():
            raise InputError("the files hold different columns: give files of one kind")

    def every(name: str) -> Any:
        held = [getattr(part, name) for part in parts]
        return None if any(h is None for h in held) else tuple(v for h in held for v in h)

    labels = {n: tuple(t for part in parts for t in part.labels[n]) for n in first.labels}
    return Tagged(
        every("names"),
        every("tokens"),
        labels,
        values=every("values"),
        channels=first.channels,
        groups=every("groups"),
        kind=first.kind,
        columns=first.columns,
        notes=tuple(dict.fromkeys(n for part in parts for n in part.notes)),
    )


def _file(path: Path, columns: TagColumns, labelled: bool, known: Collection[str]) -> Tagged:
    kind = _kind(path)
    if path.is_dir():
        inside = [p for p in sorted(path.iterdir()) if _kind(p) in (*CONLL, *FASTA, *STRUCTURES)]
        if not inside:
            raise InputError(f"{path} holds no files of tagged sequences; give another folder")
        return joined([_file(p, columns, labelled, known) for p in inside])
    if kind in CONLL:
        return read_conll(path, columns, labelled=labelled)
    if kind in FASTA:
        return read_labelled_fasta(path, known, labelled=labelled)
    if kind in STRUCTURES:
        from .structure_files import read_structure

        return read_structure(path)
    if kind not in (".csv", ".tsv", ".txt", ".parquet", ".pq"):
        raise InputError(
            f"{path} is of no kind that holds tagged sequences: give {', '.join(CONLL[:3])}, "
            f"{', '.join(FASTA[:2])}, .pdb, .cif, .csv, .tsv or .parquet"
        )
    return from_table(read_file(path), columns, labelled=labelled)


def _lists(x: Any, y: Any, labelled: bool, letters: bool) -> Tagged:
    if not len(x):
        raise InputError("there is no sequence in the data; hand over at least one")
    if y is None and all(_is_pair(item, labelled) for item in x):
        x, y = zip(*x, strict=True)
    sets = {} if y is None else dict(y) if isinstance(y, Mapping) else {"label": y}
    labels = {}
    for name, of in sets.items():
        if len(of) != len(x):
            raise InputError(f"there are {len(x)} sequences and {len(of)} of tags ({name}): give "
                             "a list of tags for each")  # fmt: skip
        parted = [_parted(tags) if isinstance(tags, str) else tags for tags in of]
        labels[name] = tuple(tuple(None if t is None else str(t) for t in tags) for tags in parted)
    names = tuple(str(i) for i in range(len(x)))
    first = x[0]
    if not isinstance(first, str) and not _holds_text(first):
        return _numbers(x, labels, names)
    tokens = []
    for i, item in enumerate(x):
        tags = next(iter(labels.values()))[i] if labels else None
        tokens.append(_tokens(item, tags, letters, i))
    return Tagged(names, tuple(tokens), labels)


def _parted(text: str) -> list[str]:
    """Tags in a text: at its blanks, or letter by letter where there are none."""
    return text.split() if " " in text.strip() else list(text.strip())


def _is_pair(item: Any, labelled: bool) -> bool:
    """Whether it is (tokens, tags); two words are that only where tags are asked for."""
    if not isinstance(item, tuple) or len(item) != 2 or not hasattr(item[1], "__len__"):
        return False
    if isinstance(item[0], str):
        return labelled and len(_parted(item[0])) == len(_parted(item[1]))
    return len(item[0]) == len(item[1])


def _holds_text(item: Any) -> bool:
    return len(item) == 0 or isinstance(item[0], str)


def _tokens(item: Any, tags: Any, letters: bool, place: int) -> tuple[str, ...]:
    if isinstance(item, str):
        words = item.split()
        by_letter = len(item) == len(tags) != len(words) if tags is not None else letters
        return tuple(item) if by_letter else tuple(words)
    for token in item:
        if not isinstance(token, str):
            raise InputError(
                f"sequence {place} holds {token!r}, which is no text: give tokens as text"
            )
    return tuple(item)


def _numbers(x: Any, labels: Any, names: tuple[str, ...]) -> Tagged:
    values = []
    for i, item in enumerate(x):
        try:
            array = np.asarray(item, dtype=np.float32)
        except (TypeError, ValueError):
            raise InputError(f"sequence {i} is neither tokens nor numbers") from None
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2:
            raise InputError(f"sequence {i} has shape {array.shape}: give [steps, channels]")
        values.append(array)
    wide = values[0].shape[1]
    for i, array in enumerate(values):
        if array.shape[1] != wide:
            raise InputError(
                f"sequence {i} has {array.shape[1]} channels, and the first one {wide}: give "
                "equally many"
            )
    channels = tuple(f"channel_{k}" for k in range(wide))
    return Tagged(names, None, labels, values=tuple(values), channels=channels)
