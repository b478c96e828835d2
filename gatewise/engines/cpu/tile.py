"""The inner loop: a few rows times a few vectors of sums, held in registers."""

from __future__ import annotations

from collections.abc import Sequence

from .ir import Function


def accumulate(
    code: Function,
    sums: list[list[str]],
    rows: Sequence[str],
    panels: Sequence[str],
    count: str,
    taking: Sequence[int],
    width: int,
    *,
    bfloat: bool = False,
    columns: str = "",
) -> None:
    """Add to each sum a row of numbers times a panel of vectors, in place.

    Args:
        code: The function to write into.
        sums: For each row its vectors; those that take part are replaced.
        rows: Address of each row's numbers.
        panels: Address of each panel: at step k it holds the vectors `k * width + j`.
        count: How many numbers a row has, an i64.
        taking: Which of a row's vectors take part; in turn panel 0's, then panel 1's.
        width: Vectors of one step of a panel.
        bfloat: Whether the panels hold the upper halves of floats.
        columns: Where the places of a row's numbers stand that take part, for one panel of which
            most columns are zero; the panel then holds the others alone, and `count` says how many.
    """
    begin, body, leave = code.label("k"), code.label("m"), code.label("d")
    counter, after = code.fresh("k"), code.fresh("k")
    places = [code.fresh("p") for _ in panels]
    moved = [code.fresh("p") for _ in panels]
    held = [[code.fresh("a") for _ in taking] for _ in rows]
    new = [[code.fresh("a") for _ in taking] for _ in rows]
    kind, before = code.lanes.type, code.here
    code.jump(begin)
    code.block(begin)
    code.let(f"phi i64 [ 0, %{before} ], [ {after}, %{body} ]", counter)
    for start, place, next_ in zip(panels, places, moved, strict=True):
        code.let(f"phi ptr [ {start}, %{before} ], [ {next_}, %{body} ]", place)
    for r in range(len(rows)):
        for j, which in enumerate(taking):
            first = sums[r][which]
            code.let(f"phi {kind} [ {first}, %{before} ], [ {new[r][j]}, %{body} ]", held[r][j])
    code.branch(code.less(counter, count), body, leave)
    code.block(body)
    at = code.word(columns, counter) if columns else counter
    ones = [code.broadcast(row, at) for row in rows]
    for j in range(len(taking)):
        load = code.load_bfloat if bfloat else code.load
        vector = load(places[j // width], j % width * code.lanes.count)
        for r, one in enumerate(ones):
            code.fma(one, vector, held[r][j], new[r][j])
    for place, next_ in zip(places, moved, strict=True):
        step, element = width * code.lanes.count, "i16" if bfloat else code.lanes.kind
        code.let(f"getelementptr {element}, ptr {place}, i64 {step}", next_)
    code.let(f"add i64 {counter}, 1", after)
    code.jump(begin)
    code.block(leave)
    for r in range(len(rows)):
        for j, which in enumerate(taking):
            sums[r][which] = held[r][j]


def over_rows(code: Function, begin: str, end: str, most: int, write) -> None:
    """Cut rows into tiles of nearly equal height and call what fits each.

    Args:
        code: The function to write into.
        begin: First row.
        end: Row after the last.
        most: The greatest height of a tile.
        write: Given a height and the first row, writes the call.
    """
    check, body, after, leave = (code.label(s) for s in ("rh", "rb", "rn", "re"))
    row, next_ = code.fresh("r"), code.fresh("r")
    before = code.here
    code.jump(check)
    code.block(check)
    code.let(f"phi i64 [ {begin}, %{before} ], [ {next_}, %{after} ]", row)
    left = code.sub(end, row)
    code.branch(code.let(f"icmp sgt i64 {left}, 0"), body, leave)
    code.block(body)
    # In 32 bits, where a division takes a third of the time.
    narrow = code.let(f"trunc i64 {left} to i32")
    tiles = code.let(f"udiv i32 {code.let(f'add i32 {narrow}, {most - 1}')}, {most}")
    up = code.let(f"sub i32 {code.let(f'add i32 {narrow}, {tiles}')}, 1")
    height = code.let(f"udiv i32 {up}, {tiles}")
    labels = {m: code.label("t") for m in range(1, most + 1)}
    cases = " ".join(f"i32 {m}, label %{label}" for m, label in labels.items() if m < most)
    code.do(f"switch i32 {height}, label %{labels[most]} [ {cases} ]")
    for m, label in labels.items():
        code.block(label)
        write(m, row)
        code.jump(after)
    code.block(after)
    wide = code.let(f"zext i32 {height} to i64")
    code.let(f"add i64 {row}, {wide}", next_)
    code.jump(check)
    code.block(leave)
