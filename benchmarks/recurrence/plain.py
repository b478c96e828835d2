"""The plain LSTM: inference and training beside torch's own and ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

import gatewise

from . import onnx_peer, remote
from .contest import OURS, contest
from .correctness import truth
from .models import Answer, Inference, Model, Training, Trial, in_double, losses, of_layer
from .part import Part
from .settings import Settings, all_threads
from .shapes import LONG, Shape
from .timing import geometric_mean

PEERS: dict[str, Callable[[nn.LSTM], Model]] = {"torch": of_layer}
"""Who takes part in all modes; each is made from torch's layer."""

INFERENCE_PEERS: dict[str, Callable[[nn.LSTM, Tensor, int], Trial]] = {}
"""Who takes part in inference only; each is made from torch's layer, the input and threads."""

if onnx_peer.is_there():
    INFERENCE_PEERS["onnx"] = onnx_peer.Sequences

INFERENCE = "inference"


def measure(settings: Settings) -> Part:
    part = Part()
    if not INFERENCE_PEERS:
        part.notes.append("plain: onnx and onnxruntime are not both installed, so left out.")
    for shape in settings.usual:
        _one_shape(shape, settings, part)
    for count in settings.threads:
        rows = [row for row in part.rows if row["threads"] == count]
        for name, value in _figures(rows, "ratio").items():
            part.figures[f"{name}_{count}t"] = value
        by_minima = _figures(rows, "ratio_of_minima").items()
        said = ", ".join(f"{name}_{count}t {value:.3f}" for name, value in by_minima)
        part.notes.append(f"plain, by the ratios of minima: {said}.")
    return part


def _one_shape(shape: Shape, settings: Settings, part: Part) -> None:
    """Add the rows of one shape."""
    torch.manual_seed(0)
    layer = nn.LSTM(shape.input, shape.hidden, batch_first=True)
    ours = gatewise.nn.LSTM(shape.input, shape.hidden, batch_first=True)
    ours.load_state_dict(layer.state_dict())
    x = torch.randn(shape.batch, shape.time, shape.input)
    modes = losses(shape.batch, shape.time, shape.hidden)
    with all_threads(settings):
        double = of_layer(in_double(layer))
        expected: dict[str, Answer] = {m: truth(double, x, loss) for m, loss in modes.items()}
    expected[INFERENCE] = {"y": next(iter(expected.values()))["y"]}
    note = f"plain: our layers ran on the engine {gatewise.explain(ours, x).chosen}."
    part.notes += [] if note in part.notes else [note]
    models = {OURS: of_layer(ours), **{name: make(layer) for name, make in PEERS.items()}}

    work = {"x": x, **layer.state_dict(), **{mode: loss.gradient for mode, loss in modes.items()}}
    for threads in settings.each_thread_count():
        with remote.processes(settings.peers, work, threads) as processes:
            for process in processes.values():
                part.versions |= process.versions
            for mode in (INFERENCE, *modes):
                case = {"part": "plain", "case": str(shape), "mode": mode, "threads": threads}
                trials: dict[str, Trial] = {
                    name: Training(model, x, modes[mode]) if mode in modes else Inference(model, x)
                    for name, model in models.items()
                }
                if mode == INFERENCE:
                    trials |= {n: make(layer, x, threads) for n, make in INFERENCE_PEERS.items()}
                own_pools = threads > 1 and bool(processes or trials.keys() - models.keys())
                trials |= {n: remote.RemoteTrial(p, mode) for n, p in processes.items()}
                rows, _ = contest(
                    case, trials, expected[mode], settings.budget, own_pools=own_pools
                )
                part.rows += rows


def _figures(rows: Sequence[dict], ratio: str) -> dict[str, float]:
    """Figures of one number of threads; those without a row are left out."""

    def ratios(peer: str, *modes: str, least_time: int = 0) -> list[float]:
        return [
            row[ratio]
            for row in rows
            if row["peer"] == peer
            and row["mode"] in modes
            and int(row["case"].split("x")[1]) >= least_time
        ]

    means = {
        "fb_all_ratio": ratios("torch", "all steps"),
        "fb_last_ratio": ratios("torch", "last step", least_time=LONG),
        "inference_ratio": ratios("torch", INFERENCE),
        "inference_onnx_ratio": ratios("onnx", INFERENCE),
    }
    figures = {name: geometric_mean(values) for name, values in means.items() if values}
    figures["least_ratio"] = min(ratios("torch", "all steps", "last step", INFERENCE))
    return figures
