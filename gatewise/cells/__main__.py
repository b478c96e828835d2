"""Write one page per cell: `python -m gatewise.cells docs/cells`."""

from __future__ import annotations

import sys
from pathlib import Path

from ..compiler import Cell, equations, step_source
from ._catalogue import every_cell


def pages() -> dict[str, str]:
    """Write all pages: file name to Markdown."""
    cells = every_cell()
    lines = [f"- [{name}]({name}.md): {_summary(cell)}" for name, cell in cells.items()]
    index = (
        "# Cells\n\nWritten by `python -m gatewise.cells docs/cells`; do not edit.\n\n"
        + "\n".join(lines)
        + "\n"
    )
    return {"index.md": index} | {f"{name}.md": _page(cell) for name, cell in cells.items()}


def _summary(cell: Cell) -> str:
    return " ".join(cell.doc.partition("\n\n")[0].split())


def _page(cell: Cell) -> str:
    facts = [
        f"- States: {_names(cell.states)}; the first is the output.",
        f"- Row blocks of `weight_ih`: {_names(cell.input_rows)}.",
        f"- Row blocks of `weight_hh`: {_names(cell.state_rows)}.",
    ]
    facts += [f"- Vector per unit: `{name}`, from {v:g}." for name, v in cell.weights.items()]
    facts += [f"- Constant: `{name}` = {v:g}." for name, v in cell.hypers.items()]
    facts += [f"- Initial bias of `{name}`: {v:g}." for name, v in cell.bias.items()]
    return (
        f"# {cell.name}\n\n{cell.doc}\n\n$$\n{equations(cell)}\n$$\n\n"
        + "\n".join(facts)
        + f"\n\nThe step that the reference engine runs:\n\n```python\n{step_source(cell)}```\n"
    )


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main(folder: str) -> None:
    """Write the pages into a folder."""
    for name, page in pages().items():
        Path(folder, name).write_text(page)


if __name__ == "__main__":
    main(sys.argv[1])
