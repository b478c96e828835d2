"""Text files of tagged sequences: CoNLL columns and FASTA with labels."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from ...errors import InputError, nearest
from ..files.text_files import read_lines
from .columns_spec import TagColumns
from .tagged import Tagged

CONLL = (".conllu", ".conll", ".conllup", ".bio", ".iob", ".iob2", ".bioes")
FASTA = (".fasta", ".fa", ".faa", ".fas")

CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""Columns of CoNLL-U (https://universaldependencies.org/format.html)."""

_UNKNOWN = frozenset("?-.")
"""What stands in a line of labels where one is not known, if it is no tag elsewhere."""


def read_conll(path: str | Path, columns: TagColumns, *, labelled: bool = True) -> Tagged:
    """Read a file with a token a line and blank lines between sentences.

    CoNLL-U has its ten named columns, of which `form` and `upos` are read unless others are
    asked for; in other files the columns are called "1", "2", ... from the left, or as the line
    `# global.columns = ...` says, and the first and the last are read. Words that stand for
    several (`3-4`), empty nodes (`8.1`) and `-DOCSTART-` lines are left out.

    Args:
        path: The file.
        columns: What to read.
        labelled: Whether tags are asked for; without, a file may lack them.

    Raises:
        InputError: It has no sentences, a line has too few columns, or there is no such column.
    """
    path = Path(path)
    universal = _kind(path) == ".conllu"
    blocks = list(_blocks(read_lines(path), path, tabs=universal))
    if not blocks:
        raise InputError(f"{path} has no sentences: it needs a token a line, and blanks between")
    names = _column_names(path, universal, len(blocks[0][1][0]))
    token = columns.token or ("form" if "form" in names else names[0])
    labels = columns.label or (("upos",) if "upos" in names else names[-1:])
    labels = tuple(name for name in labels if name != token)
    if labelled and not labels:
        raise InputError(f"{path} has one column, and no tags in it; add a column of tags")
    places = {}
    for name in (token, *labels):
        if name in names:
            places[name] = names.index(name)
        elif labelled or name == token:
            raise InputError(f"{path} has no column {name!r}; {nearest(name, names)}")
    wide = max(places.values()) + 1
    for number, rows in blocks:
        for k, row in enumerate(rows):
            if len(row) < wide and (labelled or len(row) <= places[token]):
                raise InputError(
                    f"{path}, line {number + k}: {len(row)} columns, and {wide} are needed; "
                    "correct the line"
                )
    found = {
        name: [[_tag(row, place) for row in rows] for _, rows in blocks]
        for name, place in places.items()
        if name != token
    }
    tokens = [[row[places[token]] for row in rows] for _, rows in blocks]
    ids = [f"line {number}" for number, _ in blocks]
    return Tagged.of(tokens, found, names=ids, kind="file")


def read_labelled_fasta(
    path: str | Path, known: Collection[str] = (), *, labelled: bool = True
) -> Tagged:
    """Read sequences of letters with a line of labels each.

    Either a record holds the sequence and then as many labels, or a record of labels follows that
    of the sequence, with the same name before its last colon (`>1ABC:A:sequence`,
    `>1ABC:A:secstr`). Where labels are not asked for, a plain file does as well.

    Args:
        path: The file.
        known: Tags that are known; where labels are not asked for, second halves of records are
            taken for labels only if they hold nothing else.
        labelled: Whether tags are asked for.

    Raises:
        InputError: It is no FASTA file, or a record has no labels where they are asked for.
    """
    path = Path(path)
    records = _records(path)
    pairs = _paired(records) or _halved(records)
    if pairs and not labelled:
        letters = {letter for _, _, labels in pairs for letter in labels}
        pairs = pairs if letters <= set(known) | _UNKNOWN else None
    if pairs is None:
        if labelled:
            raise InputError(
                f"{path} has no labels: give each record, after its sequence, a line with as many "
                "labels"
            )
        plain = [(name, "".join(lines)) for name, lines in records]
        return Tagged.of([t for _, t in plain], names=[n for n, _ in plain], kind="file")
    used = {letter for _, _, labels in pairs for letter in labels}
    # A dot or a dash is a tag like any other where there are hardly any letters beside it.
    unknown = _UNKNOWN if len(used - _UNKNOWN) > 1 else frozenset()
    tags = [[None if t in unknown else t for t in labels] for _, _, labels in pairs]
    return Tagged.of(
        [t for _, t, _ in pairs], {"label": tags}, names=[n for n, _, _ in pairs], kind="file"
    )


def _kind(path: Path) -> str:
    suffixes = [s.lower() for s in path.suffixes[-2:]] or [""]
    return suffixes[0] if suffixes[-1] == ".gz" else suffixes[-1]


def _blocks(lines: list[str], path: Path, *, tabs: bool) -> Iterator[tuple[int, list[list[str]]]]:
    """Sentences: the number of their first line, and the columns of each token."""
    rows: list[list[str]] = []
    first = 0
    for number, line in enumerate([*lines, ""], 1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            if rows:
                yield first, rows
            rows = []
            continue
        tabbed = "\t" in line
        if line.startswith("#") and not tabbed:
            continue
        row = line.split("\t") if tabbed else line.split()
        if tabs and not row[0].isdigit():
            if tabbed and row[0].replace("-", "").replace(".", "").isdigit():
                continue
            raise InputError(
                f"{path}, line {number}: a line of CoNLL-U begins with a number and a tab, not "
                f"with {line[:20]!r}; correct it, or name the file .conll"
            )
        first = first if rows else number
        rows.append(row)


def _column_names(path: Path, universal: bool, wide: int) -> tuple[str, ...]:
    if universal:
        return CONLLU
    head = next((line for line in read_lines(path)[:5] if "global.columns" in line), "")
    named = tuple(head.partition("=")[2].lower().split())
    return named or tuple(str(i + 1) for i in range(wide))


def _tag(row: list[str], place: int) -> str | None:
    return row[place] if place < len(row) and row[place] not in ("", "_") else None


def _records(path: Path) -> list[tuple[str, list[str]]]:
    records: list[tuple[str, list[str]]] = []
    for number, line in enumerate(read_lines(path), 1):
        if line.startswith(">"):
            records.append((line[1:].strip() or str(len(records)), []))
        elif line.strip() and not line.startswith(";"):
            if not records:
                raise InputError(f"{path}, line {number}: letters before the first header (>name)")
            # Blanks inside are coil in the PDB's own files of secondary structure.
            records[-1][1].append(line)
    if not records:
        raise InputError(f"{path} has no header (>name); it is no FASTA file")
    if empty := next((name for name, lines in records if not lines), None):
        raise InputError(f"{path}: sequence {empty!r} has no letters; drop it")
    return records


def _halved(records: list[tuple[str, list[str]]]) -> list[tuple[str, str, str]] | None:
    """Records whose lines are half a sequence, half its labels."""
    pairs = []
    for name, lines in records:
        middle = len(lines) // 2
        tokens, labels = "".join(lines[:middle]), "".join(lines[middle:])
        if len(lines) % 2 or len(tokens) != len(labels):
            return None
        pairs.append((name.split()[0], tokens.upper(), labels))
    return pairs


def _paired(records: list[tuple[str, list[str]]]) -> list[tuple[str, str, str]] | None:
    """Records of sequences that are each followed by one of labels of the same name."""
    if len(records) % 2:
        return None
    pairs = []
    for (name, lines), (other, labels) in zip(records[::2], records[1::2], strict=True):
        tokens, tags = "".join(lines), "".join(labels)
        common = name.rpartition(":")[0]
        if not common or common != other.rpartition(":")[0] or len(tokens) < len(tags.rstrip()):
            return None
        pairs.append((common, tokens.upper(), tags.ljust(len(tokens)).replace(" ", "C")))
    return pairs
