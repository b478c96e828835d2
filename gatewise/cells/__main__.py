"""Write one page per cell: `python -m gatewise.cells docs/cells`."""

from __future__ import annotations

import sys
from pathlib import Path

from ..compiler import Cell, equations, flowchart, operations, rounds, step_source
from ._catalogue import every_cell

_USE = "Use it "


def pages() -> dict[str, str]:
    """Write all pages: file name to Markdown."""
    cells = every_cell()
    lines = [f"- [{name}]({name}.md): {_summary(cell)}" for name, cell in cells.items()]
    index = (
        "# Cells\n\nWritten by `python -m gatewise.cells docs/cells`; do not edit.\n\n"
        + "\n".join(lines)
        + "\n\nWhat is no cell of numbers for each unit is a layer: the mLSTM, minLSTM and minGRU, "
        "convolutional, tree and\ngrid LSTMs and the mogrifier have pages "
        "[there](../layers.md#pages).\n"
    )
    return {"index.md": index} | {f"{name}.md": _page(cell) for name, cell in cells.items()}


def usage(cell: Cell) -> str:
    """When to use a cell: the paragraph of its docstring that begins with these words."""
    return "\n\n".join(p for p in cell.doc.split("\n\n") if p.startswith(_USE))


def _summary(cell: Cell) -> str:
    return " ".join(cell.doc.partition("\n\n")[0].split())


def _page(cell: Cell) -> str:
    about = "\n\n".join(p for p in cell.doc.split("\n\n") if not p.startswith(_USE))
    sections = [
        f"# {cell.name}\n\n{about}",
        f"## When to use it\n\n{usage(cell)}",
        f"## Equations\n\n$$\n{equations(cell)}\n$$",
        f"## Data flow\n\n```mermaid\n{flowchart(cell)}\n```",
        "## What it holds\n\n" + "\n".join(_facts(cell)),
        "## What it costs\n\n" + "\n".join(_costs(cell)),
        f"## Code\n\nThe step that the reference engine runs:\n\n```python\n{step_source(cell)}```",
    ]
    return "\n\n".join(sections) + "\n"


def _facts(cell: Cell) -> list[str]:
    facts = [f"- States: {_names(cell.states)}; the first is the output."]
    facts += [f"- Row blocks of `weight_ih`: {_names(cell.input_rows)}."]
    if cell.state_rows:
        facts += [f"- Row blocks of `weight_hh`: {_names(cell.state_rows)}."]
    facts += [f"- Vector per unit: `{name}`, from {v:g}." for name, v in cell.weights.items()]
    facts += [f"- Constant: `{name}` = {v:g}." for name, v in cell.hypers.items()]
    facts += [f"- Given at each step: `{name}`, else {v:g}." for name, v in cell.noises.items()]
    facts += [f"- Initial bias of `{name}`: {v:g}." for name, v in cell.bias.items()]
    return facts


def _costs(cell: Cell) -> list[str]:
    """Numbers to learn and work to do, with I inputs and H units."""
    rows_ih, rows_hh, vectors = len(cell.input_rows), len(cell.state_rows), len(cell.weights)
    learned = _sum({"HI": rows_ih, "H^2": rows_hh, "H": rows_ih + rows_hh + vectors})
    wait = f", in {rounds(cell)} rounds that wait for each other" if rounds(cell) > 1 else ""
    done = operations(cell)
    each = ", ".join(f"{count} {op}" for op, count in done.items())
    return [
        f"- Parameters of a layer with I inputs and H units: {learned}.",
        f"- Multiplications in products, per unit and step: {_sum({'I': rows_ih, 'H': rows_hh})}"
        f"{wait}.",
        f"- Pointwise operations, per unit and step: {sum(done.values())} ({each}).",
    ]


def _sum(counts: dict[str, int]) -> str:
    terms = (f"{n if n > 1 else ''}{size}" for size, n in counts.items() if n)
    return f"${' + '.join(terms)}$"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main(folder: str) -> None:
    """Write the pages into a folder."""
    for name, page in pages().items():
        Path(folder, name).write_text(page)


if __name__ == "__main__":
    main(sys.argv[1])
