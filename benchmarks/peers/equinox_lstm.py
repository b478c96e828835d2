"""Runs Equinox' LSTMCell over time: `jax.lax.scan` under `jax.jit`."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from serving import MODES, Arrays, main, use_cores

Weights = dict


def make(arrays: Arrays, threads: int) -> dict[str, Callable[[], object]]:
    # Before JAX starts its threads.
    use_cores(threads)
    # So that the last line of an error says what it was.
    os.environ["JAX_TRACEBACK_FILTERING"] = "off"
    import equinox
    import jax
    import jax.numpy as jnp

    hidden, inputs = arrays["weight_hh_l0"].shape[1], arrays["x"].shape[2]
    empty = equinox.nn.LSTMCell(inputs, hidden, key=jax.random.PRNGKey(0))
    weights = {
        "weight_ih": jnp.asarray(arrays["weight_ih_l0"]),
        "weight_hh": jnp.asarray(arrays["weight_hh_l0"]),
        "bias": jnp.asarray(arrays["bias_ih_l0"] + arrays["bias_hh_l0"]),
    }
    x = jnp.asarray(arrays["x"])

    def forward(weights: Weights, x: jax.Array) -> jax.Array:
        cell = equinox.tree_at(
            lambda cell: [getattr(cell, name) for name in weights], empty, list(weights.values())
        )

        def step(state, now):
            state = jax.vmap(cell)(now, state)
            return state, state[0]

        zero = jnp.zeros((x.shape[0], hidden), x.dtype)
        _, y = jax.lax.scan(step, (zero, zero), jnp.swapaxes(x, 0, 1))
        return jnp.swapaxes(y, 0, 1)

    def trained(mode: str) -> Callable[[], object]:
        along = jnp.asarray(arrays[mode])

        def backward(weights: Weights, x: jax.Array) -> tuple:
            y, pull = jax.vjp(forward, weights, x)
            full = along if mode == "all steps" else jnp.zeros_like(y).at[:, -1].set(along)
            return y, *pull(full)

        compiled = jax.jit(backward)
        return lambda: jax.block_until_ready(compiled(weights, x))

    compiled = jax.jit(forward)
    calls: dict[str, Callable[[], object]] = {mode: trained(mode) for mode in MODES[1:]}
    return {"inference": lambda: jax.block_until_ready(compiled(weights, x)), **calls}


def answer(mode: str, found: object) -> Arrays:
    if mode == "inference":
        return {"y": np.asarray(found)}
    y, weights, x = found
    named = {
        "weight_ih_l0": weights["weight_ih"],
        "weight_hh_l0": weights["weight_hh"],
        "bias_ih_l0": weights["bias"],
        "bias_hh_l0": weights["bias"],
    }
    return {name: np.asarray(value) for name, value in {"y": y, "x": x, **named}.items()}


if __name__ == "__main__":
    main(make, answer, ("equinox", "jax"))
