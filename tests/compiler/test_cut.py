"""The fewest nodes that are kept: enough, and no smaller set is."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.compiler import sigmoid, tanh
from gatewise.compiler.cut import least_cut
from gatewise.compiler.expr import const, var, walk

from .test_expressions import EXPRESSIONS

X, Y, H = map(var, "xyh")


def follows(needed, known):
    """Whether all that is needed can be computed from what is known, and constants."""
    done = {}
    for node in walk(needed):
        done[node] = (
            node in known
            or node.op == "const"
            or (bool(node.args) and all(done[a] for a in node.args))
        )
    return all(done[n] for n in needed)


def by_trial(needed, free):
    """The size of the smallest set, by trying all."""
    nodes = [n for n in walk(needed) if n.op != "const" and n not in free]
    return next(
        size
        for size in range(len(nodes) + 1)
        if any(follows(needed, free | set(some)) for some in combinations(nodes, size))
    )


FEW = st.lists(EXPRESSIONS, min_size=1, max_size=3).filter(lambda e: len(walk(e)) <= 14)
FREE = st.sets(st.sampled_from([X, Y, H]))


@settings(max_examples=60, deadline=None)
@given(FEW, FREE)
def test_enough_and_no_smaller_set_is(needed, free):
    kept = least_cut(needed, free)
    assert len(set(kept)) == len(kept)
    assert free.isdisjoint(kept)
    assert follows(needed, free | set(kept))
    assert len(kept) == by_trial(needed, free)
    assert kept == least_cut(needed, free)


def test_nothing_is_kept_of_what_is_at_hand():
    assert least_cut([tanh(X) * 2, const(3.0), X], {X}) == []
    assert least_cut([], set()) == []
    assert least_cut([const(1.0)], set()) == []


def test_a_free_node_hides_what_is_behind_it():
    new = tanh(X + Y)
    assert least_cut([1 - new * new, new * H], {new, H}) == []


def test_of_equal_sets_the_nearest_to_what_is_needed():
    i = sigmoid(X + Y)
    assert least_cut([i * (1 - i)], set()) == [i * (1 - i)]
    assert least_cut([i * (1 - i), i * H], {H}) == [i]
    assert least_cut([tanh(X), tanh(X) * 2], set()) == [tanh(X)]


def test_two_that_follow_from_one_are_kept_as_one():
    f = sigmoid(X)
    assert least_cut([f, 1 - f, f * (1 - f), tanh(f)], set()) == [f]
    assert set(least_cut([X, Y, X + Y], set())) == {X, Y}
