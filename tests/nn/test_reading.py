"""The spec of how sequences are read refuses what it is not."""

from __future__ import annotations

import pytest

from gatewise.errors import InputError
from gatewise.nn.networks.reading import Reading


@pytest.mark.parametrize(
    "fields",
    [
        {"pooling": "avg"},
        {"architecture": "cnn"},
        {"dropout": 1.0},
        {"word_dropout": True},
        {"input_noise": -1.0},
        {"input_noise": float("inf")},
        {"embedding_size": 0},
    ],
)
def test_wrong_fields_are_named(fields):
    (name,) = fields
    with pytest.raises(InputError, match=f"{name}="):
        Reading(**fields)
