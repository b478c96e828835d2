"""Runs Keras' LSTM on its torch backend."""

from __future__ import annotations

import os
from collections.abc import Callable

from serving import MODES, Arrays, main


def make(arrays: Arrays, threads: int) -> dict[str, Callable[[], object]]:
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch

    torch.set_num_threads(threads)
    import keras

    x = torch.from_numpy(arrays["x"]).requires_grad_()
    layer = keras.layers.LSTM(arrays["weight_hh_l0"].shape[1], return_sequences=True)
    layer.build(x.shape)
    bias = arrays["bias_ih_l0"] + arrays["bias_hh_l0"]
    layer.set_weights([arrays["weight_ih_l0"].T, arrays["weight_hh_l0"].T, bias])
    leaves = [weight.value for weight in layer.trainable_weights]

    def inference() -> torch.Tensor:
        with torch.no_grad():
            return layer(x)

    def trained(mode: str) -> Callable[[], object]:
        along = torch.from_numpy(arrays[mode])

        def call() -> tuple:
            for leaf in (x, *leaves):
                leaf.grad = None
            y = layer(x)
            (y if mode == "all steps" else y[:, -1]).backward(along)
            return y, x.grad, *(leaf.grad for leaf in leaves)

        return call

    return {"inference": inference, **{mode: trained(mode) for mode in MODES[1:]}}


def answer(mode: str, found: object) -> Arrays:
    if mode == "inference":
        return {"y": found.numpy()}
    y, x, kernel, recurrent, bias = (tensor.detach() for tensor in found)
    named = {
        "weight_ih_l0": kernel.T,
        "weight_hh_l0": recurrent.T,
        "bias_ih_l0": bias,
        "bias_hh_l0": bias,
    }
    return {name: value.numpy() for name, value in {"y": y, "x": x, **named}.items()}


if __name__ == "__main__":
    main(make, answer, ("keras", "torch"))
