from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from gatewise.data.digest import digest


@pytest.mark.parametrize(
    "same",
    [
        ([1, 2, 3], (1.0, 2.0, 3.0), np.arange(1, 4), torch.arange(1, 4), pd.Series([1, 2, 3])),
        ([0.5, float("nan")], np.array([0.5, -np.nan], "float32"), torch.tensor([0.5, np.nan])),
        ([0.0], [-0.0], np.zeros(1, bool)),
        (["a", "ü"], ("a", "ü"), np.array(["a", "ü"]), np.array(["a", "ü"], object)),
        (["a", None], np.array(["a", None], object)),
        (
            np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"),
            np.array(["2024-01-01", "2024-01-02"], "datetime64[ns]"),
        ),
        ({"a": [1, 2]}, {"a": np.array([1, 2])}),
        (np.ones((2, 3)), torch.ones(2, 3), np.ones((3, 2)).T),
    ],
)
def test_the_kind_does_not_matter(same):
    assert len({digest(value) for value in same}) == 1


def test_all_else_does():
    different = [
        [1, 2],
        [2, 1],
        [[1], [2]],
        np.ones((2, 3)),
        np.ones((3, 2)),
        np.ones(6),
        "ab",
        ["a", "b"],
        ["ab"],
        ["a", "b", None],
        [2**60],
        [2**60 + 1],
        [],
        None,
        {"a": 1},
        {"b": 1},
    ]
    assert len({digest(value) for value in different}) == len(different)
    assert digest("a", "b") != digest("ab")


def test_it_is_the_same_tomorrow():
    assert digest(np.arange(4), "series", None).startswith("1ee3dac9b080cc99")
