"""`gatewise info`: what is in a model's folder."""

from __future__ import annotations

from pathlib import Path


def info(model: Path) -> None:
    """Say what a saved model is, where it comes from and how well it did.

    Args:
        model: Folder of a model that `gatewise fit` saved.

    Example:
        $ gatewise info weather.model
    """
    from ..tasks import load

    loaded = load(model)
    print(loaded)
    weights = sum(weight.numel() for weight in loaded.network_.parameters())
    origin = dict(loaded.provenance_)
    versions = ", ".join(f"{name} {version}" for name, version in origin.pop("versions").items())
    for name, value in {"weights": f"{weights:,}", **origin, "versions": versions}.items():
        print(f"{name.replace('_', ' ') + ':':<10} {value}")
    if loaded.summary_:
        print(loaded.summary_)
