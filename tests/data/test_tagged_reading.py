"""Every form that tagged sequences come in gives the same sequences."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from gatewise.data import TagColumns, Tagged, read_tagged
from gatewise.errors import InputError

TOKENS = (("the", "dog", "runs"), ("cats",))
TAGS = (("DET", "NOUN", "VERB"), ("NOUN",))

CONLLU = """# sent_id = 1
# text = the dog runs
1\tthe\tthe\tDET\tDT\t_\t2\tdet\t_\t_
2-3\tdogruns\t_\t_\t_\t_\t_\t_\t_\t_
2\tdog\tdog\tNOUN\tNN\t_\t3\tnsubj\t_\t_
3\truns\trun\tVERB\tVBZ\t_\t0\troot\t_\t_
3.1\tfast\tfast\tADV\tRB\t_\t_\t_\t_\t_

1\tcats\tcat\tNOUN\tNNS\t_\t0\troot\t_\t_
"""


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_conllu(tmp_path):
    path = write(tmp_path / "a.conllu", CONLLU)
    made = read_tagged(path)
    assert made.tokens == TOKENS
    assert made.labels == {"upos": TAGS}
    both = read_tagged(path, columns=TagColumns(token="lemma", label=("upos", "xpos")))
    assert both.tokens[0] == ("the", "dog", "run")
    assert both.labels["xpos"][1] == ("NNS",)
    packed = tmp_path / "b.conllu.gz"
    packed.write_bytes(gzip.compress(CONLLU.encode()))
    assert read_tagged(packed).tokens == TOKENS
    joined = read_tagged([path, packed])
    assert joined.tokens == TOKENS * 2
    assert read_tagged(tmp_path) == joined
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="holds no files"):
        read_tagged(tmp_path / "none")


def test_conll_columns(tmp_path):
    text = "-DOCSTART- O\n\nthe x DET\ndog y NOUN\nruns z VERB\n\n\ncats y NOUN\n"
    made = read_tagged(write(tmp_path / "a.conll", text))
    assert made.tokens == TOKENS
    assert made.labels == {"3": TAGS}
    named = write(tmp_path / "b.conll", "# global.columns = FORM XTRA UPOS\n" + text)
    assert read_tagged(named).labels == {"upos": TAGS}
    bare = write(tmp_path / "c.conll", "the\ndog\n")
    assert read_tagged(bare, labelled=False).tokens == (("the", "dog"),)


def test_fasta_with_labels(tmp_path):
    halves = write(tmp_path / "a.fasta", ">one x\nACDE\nFG\nHHCC\nEE\n>two\nMK\nC?\n")
    made = read_tagged(halves)
    assert made.names == ("one", "two")
    assert made.tokens == (tuple("ACDEFG"), ("M", "K"))
    assert made.labels["label"] == (tuple("HHCCEE"), ("C", None))
    pairs = write(tmp_path / "b.fa", ">1ABC:A:sequence\nACDE\n>1ABC:A:secstr\n HH\n")
    assert read_tagged(pairs).labels["label"] == (("C", "H", "H", "C"),)
    plain = write(tmp_path / "c.fasta", ">one\nACDE\nFGHI\n")
    assert read_tagged(plain, labelled=False, known="HEC").tokens == (tuple("ACDEFGHI"),)
    assert read_tagged(halves, labelled=False, known="HEC").tokens == made.tokens


def test_tables(tmp_path):
    rows = "\n".join(
        f"{s},{t},{tag},{len(t)}"
        for s, (tokens, tags) in enumerate(zip(TOKENS, TAGS, strict=True))
        for t, tag in zip(tokens, tags, strict=True)
    )
    long = read_tagged(write(tmp_path / "a.csv", f"series,token,label,size\n{rows}\n"))
    assert (long.tokens, long.labels) == (TOKENS, {"label": TAGS})
    wide = write(
        tmp_path / "b.csv",
        "input, upos, mask\nthe dog runs,DET NOUN VERB,1.0 0.0 1.0\ncats ,NOUN ,1.0\n",
    )
    made = read_tagged(wide, columns=TagColumns(mask="mask"))
    assert made.tokens == TOKENS
    assert made.labels["upos"] == (("DET", None, "VERB"), ("NOUN",))
    letters = write(tmp_path / "c.csv", "name,sequence,label\nx,ACD,HHC\ny,KK,CC\n")
    assert read_tagged(letters).labels["label"] == (("H", "H", "C"), ("C", "C"))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library):
    frames = pytest.importorskip(library)
    frame = frames.DataFrame(
        {
            "series": ["a", "a", "b"],
            "x": [1.0, 2.0, 3.0],
            "y": [1, 0, 1],
            "label": ["up", "down", "up"],
        }
    )
    made = read_tagged(frame)
    assert made.tokens is None
    assert made.channels == ("x", "y")
    assert made.values[0].tolist() == [[1.0, 1.0], [2.0, 0.0]]
    assert made.labels["label"] == (("up", "down"), ("up",))


def test_lists():
    made = read_tagged(list(zip(TOKENS, TAGS, strict=True)))
    assert (made.tokens, made.labels) == (TOKENS, {"label": TAGS})
    assert read_tagged([" ".join(t) for t in TOKENS], TAGS).tokens == TOKENS
    assert read_tagged(["ACD"], ["HHC"]).tokens == (tuple("ACD"),)
    texts = [(" ".join(a), " ".join(b)) for a, b in zip(TOKENS, TAGS, strict=True)][:1]
    assert read_tagged(texts).labels["label"] == TAGS[:1]
    assert read_tagged([("ACD", "HHC")]).tokens == (tuple("ACD"),)
    assert read_tagged([("the", "dog")], labelled=False).tokens == (("the", "dog"),)
    numbers = read_tagged([np.zeros((3, 2)), np.ones((1, 2))], TAGS)
    assert numbers.channels == ("channel_0", "channel_1")
    named = read_tagged(TOKENS, {"a": TAGS, "b": TAGS})
    assert list(named.labels) == ["a", "b"]


def test_a_digest_is_of_what_is_read_not_of_where_from(tmp_path):
    made = read_tagged(write(tmp_path / "a.conllu", CONLLU))
    assert made.digest() == Tagged.of(TOKENS, {"upos": TAGS}).digest()


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ([], None, "no sequence"),
        ([["a"]], None, "no tags"),
        ([["a", "b"]], [["X"]], "2 tokens and 1 label"),
        ([["a"], []], [["X"], []], "'1' is empty"),
        ([["a"]], [["X"], ["Y"]], "1 sequences and 2 of tags"),
        ([["a", 3]], [["X", "Y"]], "3, which is no text"),
        ([np.zeros((2, 2, 2))], [["X", "Y"]], r"shape \(2, 2, 2\)"),
        (3, None, "read from a int"),
    ],
)
def test_wrong_lists(x, y, said):
    with pytest.raises(InputError, match=said):
        read_tagged(x, y)


@pytest.mark.parametrize(
    ("name", "text", "columns", "said"),
    [
        ("a.conllu", "the dog\n", {}, "begins with a number"),
        ("a.conllu", CONLLU, {"label": ("posx",)}, "did you mean '[ux]pos'"),
        ("a.conll", "the DET\ndog\n", {}, "line 2: 1 columns, and 2"),
        ("a.conll", "the\ndog\n", {}, "one column"),
        ("a.conll", "\n\n", {}, "no sentences"),
        ("a.fasta", ">a\nACDE\n", {}, "no labels"),
        ("a.fasta", "ACDE\n", {}, "before the first header"),
        ("a.csv", "token,label\na,b\n", {}, "names the sequences"),
        ("a.csv", "series,token\na,b\n", {}, "no column of tags"),
        ("a.csv", "series,token,label\na,b,c\n", {"label": ("tagg",)}, "no column 'tagg'"),
        ("a.json", "{}", {}, "of no kind"),
        ("a.csv", "input,label\na b,X\n", {}, "2 tokens and 1 label"),
    ],
)
def test_wrong_files(tmp_path, name, text, columns, said):
    with pytest.raises(InputError, match=said):
        read_tagged(write(tmp_path / name, text), columns=TagColumns(**columns))


def test_a_missing_file_is_said(tmp_path):
    for name in ("none.conllu", "none.fasta", "none.pdb", "none.csv"):
        with pytest.raises(InputError, match="there is no file"):
            read_tagged(tmp_path / name)


@pytest.mark.parametrize("suffix", [".pdb", ".cif", ".bcif"])
def test_structures(tmp_path, suffix):
    structure = pytest.importorskip("biotite.structure")
    from biotite.structure.io import pdb, pdbx

    count = 16
    atoms = structure.AtomArray(count)
    turn = np.deg2rad(100) * np.arange(count)
    atoms.coord = np.stack([2.3 * np.cos(turn), 2.3 * np.sin(turn), 1.5 * np.arange(count)], 1)
    atoms.atom_name[:], atoms.element[:], atoms.chain_id[:] = "CA", "C", "A"
    atoms.res_name[:] = ["ALA", "LYS"] * (count // 2)
    atoms.res_id[:] = np.arange(1, count + 1)
    path = tmp_path / f"made{suffix}"
    file = {".pdb": pdb.PDBFile, ".cif": pdbx.CIFFile, ".bcif": pdbx.BinaryCIFFile}[suffix]()
    if suffix == ".pdb":
        file.set_structure(atoms)
    else:
        pdbx.set_structure(file, atoms)
    file.write(str(path))
    made = read_tagged(path)
    assert made.names == ("made:A",)
    assert "".join(made.tokens[0]) == "AK" * (count // 2)
    assert set(made.labels["label"][0][2:-2]) == {"H"}


def test_a_broken_structure_is_said(tmp_path):
    pytest.importorskip("biotite.structure")
    with pytest.raises(InputError, match=r"cannot be read|holds no amino acids"):
        read_tagged(write(tmp_path / "a.pdb", "no structure\n"))
    with pytest.raises(InputError, match="cannot be read"):
        read_tagged(write(tmp_path / "a.cif", "no structure\n"))
