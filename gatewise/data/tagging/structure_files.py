"""Protein structures of PDB and mmCIF files: residues and their secondary structure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..._optional import need
from ...errors import InputError
from ..files.tables import missing
from .tagged import Tagged

STATES = {"a": "H", "b": "E", "c": "C", "": "C"}
"""Biotite's letters of secondary structure as the field's."""


def read_structure(path: str | Path) -> Tagged:
    """Read the amino acids of each chain, and whether they lie in a helix, a strand or a coil.

    Secondary structure is found from the positions of the alpha carbons (P-SEA, Labesse et al.
    1997, https://doi.org/10.1093/bioinformatics/13.3.291), by biotite, whatever the file itself
    says of it: H, E and C in the set `label`. Of several models the first is read; a residue that
    is no amino acid is left out.

    Args:
        path: A `.pdb`, `.ent`, `.cif`, `.mmcif` or `.bcif` file.

    Raises:
        InputError: Biotite is not installed, the file cannot be read, or it holds no protein.
    """
    path = Path(path)
    if not path.is_file():
        raise missing(path)
    structure = need("biotite.structure", "bio")
    atoms = _atoms(path)
    atoms = atoms[structure.filter_amino_acids(atoms)]
    names, tokens, labels = [], [], []
    for name in dict.fromkeys(atoms.chain_id.tolist()):
        chain = atoms[atoms.chain_id == name]
        starts = structure.get_residue_starts(chain)
        if not len(starts):
            continue
        letters = [_letter(str(residue)) for residue in chain.res_name[starts]]
        states = structure.annotate_sse(chain)
        names.append(f"{path.stem}:{name}" if name else path.stem)
        tokens.append(letters)
        labels.append([STATES.get(str(state), "C") for state in states])
    if not names:
        raise InputError(f"{path} holds no amino acids; give a file of a protein")
    return Tagged.of(tokens, {"label": labels}, names=tuple(names), kind="file")


def _atoms(path: Path) -> Any:
    suffix = path.suffix.lower()
    try:
        if suffix in (".pdb", ".ent"):
            pdb = need("biotite.structure.io.pdb", "bio")
            return pdb.PDBFile.read(str(path)).get_structure(model=1)
        pdbx = need("biotite.structure.io.pdbx", "bio")
        kind = pdbx.BinaryCIFFile if suffix == ".bcif" else pdbx.CIFFile
        return pdbx.get_structure(kind.read(str(path)), model=1)
    except InputError:
        raise
    except Exception as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} cannot be read as a structure ({said}); correct it") from None


def _letter(residue: str) -> str:
    info = need("biotite.structure.info", "bio")
    letter = info.one_letter_code(residue)
    return str(letter) if letter is not None and len(letter) == 1 else "X"
