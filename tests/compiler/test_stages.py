"""Cutting a cell at its products changes nothing about what it computes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.compiler import Cell, Expr, FromState, Gate, Port, State, cell, sigmoid, tanh
from gatewise.compiler.expr import evaluate, rewrite, var, walk
from gatewise.compiler.simplify import simplify

from .test_expressions import LEAVES, POINTS, close, wider

ROWS = ("j", "k", "m")


def run(cell, values):
    """Run the stages on numbers; a product is a straight line that differs by row block."""
    table = dict(values) | {row: line(row, values[cell.states[0]]) for row in ROWS}
    for stage in cell.stages:
        given = evaluate(stage.outputs, {name: table[name] for name in stage.reads})
        table |= dict(zip(stage.names, given, strict=True))
        table |= {row: line(row, table[operand]) for row, operand in stage.products}
    return [table[s] for s in cell.states]


def line(row, operand):
    slope = 0.3 * (1 + ROWS.index(row))
    return slope * operand + 0.1 * slope


def whole(cell, values):
    """Evaluate without cutting: each product written out as its straight line."""

    def rule(node):
        if node.op == "product":
            return line(node.value, node.args[0])
        return line(node.value, var("h")) if node.value in ROWS else node

    new = rewrite(cell.outputs, rule)
    return evaluate([new[o] for o in cell.outputs], values)


PRODUCTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        wider(inner),
        st.builds(lambda row, a: Expr("product", (a,), row), st.sampled_from(ROWS), inner),
    ),
    max_leaves=10,
)


def applied_well(outputs):
    """Each row block to one value, and none to a constant, also after simplification."""
    products = {n for graph in (outputs, simplify(outputs)) for n in walk(graph)}
    products = {n for n in products if n.op == "product"}
    values = [n.value for n in walk(outputs) if n.op == "product"]
    return len(values) == len(set(values)) and all(p.args[0].op != "const" for p in products)


@settings(max_examples=80, deadline=None)
@given(st.tuples(PRODUCTS, PRODUCTS).filter(applied_well), POINTS)
def test_cutting_changes_nothing(drawn, point):
    ports = (Port("x", "gate"), Port("y", "weight"), Port("h", "state"), Port("s", "state"))
    outputs = tuple(e + 0.5 * var(n) for e, n in zip(drawn, ("h", "s"), strict=True))
    labels = tuple((f"l{k}", n) for k, n in enumerate(walk(outputs)[::3]) if n.args)
    cell = Cell("drawn", ports + tuple(Port(r, "from_state") for r in ROWS), outputs, labels)
    point = point | {"s": 0.4}
    close(run(cell, point), whole(cell, point))
    again = Cell.from_key(cell.key)
    assert again.stages == cell.stages


@cell
def twice(a: Gate, b: Gate, r: FromState, h: State):
    """Two products, the second of what the first gave."""
    a = sigmoid(a)
    first = tanh(r(a * h))
    return a * h + (1 - a) * tanh(b(first))


def test_a_product_waits_for_another():
    one, two, three = twice.stages
    assert one.names == ("a_t", "t0")
    assert one.products == (("r", "t0"),)
    assert two.products == (("b_h", "first_t"),)
    assert three.names == ("h",)
    assert set(three.reads) == {"b_x", "b_h", "a_t", "t0"}


def test_an_applied_gate_is_its_two_halves():
    assert twice.inputs == {
        "a": "gate", "b_x": "from_input", "b_h": "from_state", "r": "from_state", "h": "state",
    }  # fmt: skip
    assert twice.input_rows == ("a", "b_x")
    assert twice.state_rows == ("a", "b_h", "r")


def test_applying_to_the_old_output_needs_no_stage():
    @cell
    def plain(r: FromState, h: State):
        return tanh(r(h))

    (stage,) = plain.stages
    assert stage.reads == ("r",)


def test_rows_can_multiply_another_state():
    @cell
    def crossed(a: Gate, k: FromState, h: State, c: State):
        return tanh(a + k(c)), h

    first, second = crossed.stages
    assert first.computes == ()
    assert first.products == (("k", "c"),)
    assert second.names == ("h", "c")
