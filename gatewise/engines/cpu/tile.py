"""The inner loop: a few rows times a few vectors of sums, held in registers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .ir import Function, Lanes


class Numbers:
    """How panels hold numbers: in the type of the vectors, beside each other."""

    element = ""
    """Type of what is stored; "" for that of a vector's numbers."""

    group = 1
    """Elements for each lane, of as many numbers of a row, whose products are summed up at once."""

    def kind(self, lanes: Lanes) -> str:
        """The type of a vector of sums."""
        return lanes.type

    def one(self, code: Function, row: str, at: str) -> str:
        """What all lanes multiply: a row's number (or group of them) at a place, in each."""
        return code.broadcast(row, at)

    def vector(self, code: Function, place: str, nth: int) -> str:
        """A panel's vector."""
        return code.load(place, nth * code.lanes.count)

    def add(self, code: Function, one: str, vector: str, sums: str, name: str) -> None:
        """Add products to sums; the result is called `name`."""
        code.fma(one, vector, sums, name)


class UpperHalves(Numbers):
    """Floats of which only the upper halves are stored, as bfloat16."""

    element = "i16"

    def vector(self, code: Function, place: str, nth: int) -> str:
        """See `Numbers.vector`."""
        return code.load_bfloat(place, nth * code.lanes.count)


def accumulate(
    code: Function,
    sums: list[list[str]],
    rows: Sequence[str],
    panels: Sequence[str],
    count: str,
    taking: Sequence[int],
    width: int,
    *,
    numbers: Numbers | None = None,
    columns: str = "",
) -> None:
    """Add to each sum a row of numbers times a panel of vectors, in place.

    Args:
        code: The function to write into.
        sums: For each row its vectors; those that take part are replaced.
        rows: Address of each row's numbers.
        panels: Address of each panel: at step k it holds the vectors `k * width + j`.
        count: How many numbers a row has, or groups of them, an i64.
        taking: Which of a row's vectors take part; in turn panel 0's, then panel 1's.
        width: Vectors of one step of a panel.
        numbers: How the panels hold theirs; nothing for the usual way.
        columns: Where the places of a row's numbers stand that take part, for one panel of which
            most columns are zero; the panel then holds the others alone, and `count` says how many.
    """
    how = numbers or Numbers()
    begin, body, leave = code.label("k"), code.label("m"), code.label("d")
    counter, after = code.fresh("k"), code.fresh("k")
    places = [code.fresh("p") for _ in panels]
    moved = [code.fresh("p") for _ in panels]
    held = [[code.fresh("a") for _ in taking] for _ in rows]
    new = [[code.fresh("a") for _ in taking] for _ in rows]
    kind, before = how.kind(code.lanes), code.here
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
    ones = [how.one(code, row, at) for row in rows]
    for j in range(len(taking)):
        vector = how.vector(code, places[j // width], j % width)
        for r, one in enumerate(ones):
            how.add(code, one, vector, held[r][j], new[r][j])
    step, element = width * code.lanes.count * how.group, how.element or code.lanes.kind
    for place, next_ in zip(places, moved, strict=True):
        code.let(f"getelementptr {element}, ptr {place}, i64 {step}", next_)
    code.let(f"add i64 {counter}, 1", after)
    code.jump(begin)
    code.block(leave)
    for r in range(len(rows)):
        for j, which in enumerate(taking):
            sums[r][which] = held[r][j]


def over_rows(
    code: Function, begin: str, end: str, heights: Sequence[int], write: Callable[[int, str], None]
) -> None:
    """Cut rows into tiles of nearly equal height and call what fits each.

    Args:
        code: The function to write into.
        begin: First row.
        end: Row after the last.
        heights: Those of the tiles that there are, 1 among them.
        write: Given a height and the first row, writes the call.
    """
    most = max(heights)
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
    labels = {m: code.label("t") for m in heights}
    # Where no tile is as high, the next lower one begins.
    fits = {m: max(h for h in heights if h <= m) for m in range(1, most)}
    cases = " ".join(f"i32 {m}, label %{labels[h]}" for m, h in fits.items())
    code.do(f"switch i32 {height}, label %{labels[most]} [ {cases} ]")
    ends = []
    for m, label in labels.items():
        code.block(label)
        write(m, row)
        ends.append(f"[ {m}, %{code.here} ]")
        code.jump(after)
    code.block(after)
    done = code.let(f"phi i64 {', '.join(ends)}")
    code.let(f"add i64 {row}, {done}", next_)
    code.jump(check)
    code.block(leave)
