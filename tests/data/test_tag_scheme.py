"""Which tag may follow which, by the words of the schemes."""

from __future__ import annotations

import pytest

from gatewise.data.tagging.scheme import links, scheme_of


def test_schemes_are_found_by_name():
    assert scheme_of(["O", "B-PER", "I-PER", "B-LOC"]) == "bio"
    assert scheme_of(["O", "I-PER"]) == "bio"
    assert scheme_of(["O", "B", "I"]) == "bio"
    assert scheme_of(["O", "B-X", "I-X", "E-X", "S-X"]) == "bioes"
    for tags in (["NOUN", "VERB"], ["H", "E", "C"], ["O"], ["O", "X-Y"]):
        assert scheme_of(tags) is None, tags


@pytest.mark.parametrize(
    ("scheme", "tags", "forbidden"),
    [
        (
            "bio",
            ["O", "B-X", "I-X", "B-Y", "I-Y"],
            {("O", "I-X"), ("O", "I-Y"), ("B-X", "I-Y"), ("I-X", "I-Y"), ("B-Y", "I-X"),
             ("I-Y", "I-X")},
        ),
        (
            "bioes",
            ["O", "B-X", "I-X", "E-X", "S-X"],
            {("O", "I-X"), ("O", "E-X"), ("B-X", "O"), ("B-X", "B-X"), ("B-X", "S-X"),
             ("I-X", "O"), ("I-X", "B-X"), ("I-X", "S-X"), ("E-X", "I-X"), ("E-X", "E-X"),
             ("S-X", "I-X"), ("S-X", "E-X")},
        ),
    ],
)  # fmt: skip
def test_links(scheme, tags, forbidden):
    chain = links(tags, scheme, [])
    found = {
        (a, b) for i, a in enumerate(tags) for j, b in enumerate(tags) if not chain.between[i, j]
    }
    assert found == forbidden
    starts = {tag for tag, may in zip(tags, chain.start.tolist(), strict=True) if may}
    assert starts == {tag for tag in tags if tag[0] in "OBS"}
    ends = {tag for tag, may in zip(tags, chain.end.tolist(), strict=True) if may}
    assert ends == {tag for tag in tags if scheme == "bio" or tag[0] in "OES"}


def test_what_was_seen_is_allowed():
    tags = ["O", "B-X", "I-X"]
    chain = links(tags, "bio", [[2, 0, 2], [0, -1, 2]])
    assert chain.start[2]
    assert chain.between[0, 2]
    assert links(tags, None, []).between.all()
