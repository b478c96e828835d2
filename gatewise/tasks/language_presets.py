"""Settings of language models that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from ..nn.layers.encoder import Encoder
from ..nn.networks.language_spec import Regularization

Preset = Literal["small", "awd-lstm"]


@dataclass(frozen=True)
class Settings:
    """What a preset chooses.

    Args:
        embedding_size: Features of a token.
        tied: Whether the softmax has the embedding's weights.
        encoder: The recurrent layers.
        regularization: What is dropped, and what large and changing outputs cost.
        window: Tokens of a training window.
        jitter: Whether windows vary in length.
        last_size: Whether the last layer has as many units as an embedding has features.
        residual: Whether a layer's input is added to its output.
        trainer: Fields of the trainer.
    """

    embedding_size: int
    tied: bool
    encoder: Encoder
    regularization: Regularization
    window: int
    jitter: bool = False
    last_size: bool = False
    residual: bool = False
    trainer: Mapping[str, Any] = field(default_factory=dict)


DEFAULT = Encoder(hidden_size=256, num_layers=2)
"""The recurrent layers of the small preset."""


def settings(preset: str) -> Settings:
    """Give what a preset chooses.

    Args:
        preset: "small", good for a text of a few megabytes without tuning; or "awd-lstm".

    Example:
        >>> settings("awd-lstm").trainer["optimizer"]
        'nt-asgd'
    """
    return _awd_lstm() if preset == "awd-lstm" else _small()


def _small() -> Settings:
    return Settings(
        embedding_size=64,
        tied=False,
        encoder=DEFAULT,
        regularization=Regularization(0.0, 0.0, 0.0, 0.2, 0.2, False, 0.0, 0.0),
        window=64,
        residual=True,
        trainer={
            "lr": 4e-3,
            "batch_size": 16,
            "max_epochs": 12,
            "patience": 3,
            "weight_decay": 0.01,
            "betas": (0.9, 0.99),
            "warmup": 0.03,
            "average": 0.0,
        },
    )


def _awd_lstm() -> Settings:
    """As Merity, Keskar & Socher 2018 trained Penn Treebank, https://arxiv.org/abs/1708.02182."""
    return Settings(
        embedding_size=400,
        tied=True,
        encoder=Encoder(hidden_size=1150, num_layers=3, weight_dropout=0.5),
        regularization=Regularization(0.1, 0.0, 0.4, 0.25, 0.4, True, 2.0, 1.0),
        window=70,
        jitter=True,
        last_size=True,
        trainer={
            "optimizer": "nt-asgd",
            "schedule": "constant",
            "warmup": 0.0,
            "lr": 30.0,
            "batch_size": 20,
            "max_epochs": 500,
            "patience": 30,
            "clip_norm": 0.25,
            "weight_decay": 1.2e-6,
            "average": 0.0,
        },
    )


def chosen(encoder: Encoder, preset: Settings) -> Encoder:
    """Take from a preset what an encoder leaves as it is by default.

    Example:
        >>> encoder = chosen(replace(DEFAULT, hidden_size=64), settings("awd-lstm"))
        >>> encoder.hidden_size, encoder.num_layers
        (64, 3)
    """
    left = {
        f.name: getattr(preset.encoder, f.name)
        for f in fields(encoder)
        if getattr(encoder, f.name) == getattr(DEFAULT, f.name)
    }
    return replace(encoder, **left)
