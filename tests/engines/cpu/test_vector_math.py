"""Each function as machine code, for every kind of vector, against NumPy in a wider type."""

import ctypes
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.compiler.expr import PRIMITIVES

llvm = pytest.importorskip("llvmlite.binding")

from gatewise.engines.cpu.ir import Function, Lanes, Module  # noqa: E402
from gatewise.engines.cpu.vector_math import FUNCTIONS  # noqa: E402

TYPES = {"float": np.float32, "double": np.float64}
TOLERANCE = {"float": 2e-7, "double": 4 * 2.0**-52}
EXACT = {
    "exp": np.exp,
    "log": np.log,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "logsigmoid": lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
}

# Bytes of a vector, for each kind of machine. `x86-64` has no fused product and sum.
SIZES = {"host": (64, 32, 16), "x86-64-v3": (32,), "x86-64": (16,)}
VECTORS = [
    (machine, Lanes(kind, size // (4 if kind == "float" else 8)))
    for machine, kind in product(SIZES, TYPES)
    for size in SIZES[machine]
]
every_vector = pytest.mark.parametrize(
    ("machine", "lanes"), VECTORS, ids=[f"{m}-{n.count}{n.kind}" for m, n in VECTORS]
)


def has(feature: str) -> bool:
    return llvm.get_host_cpu_features().get(feature, False)


def target_machine(name: str):
    triple = llvm.get_process_triple()
    if name != "host" and not triple.startswith("x86_64"):
        pytest.skip("not such a machine")
    if name == "x86-64-v3" and not (has("avx2") and has("fma")):
        pytest.skip("not such a machine")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = name, ""
    if name == "host":
        cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_triple(triple)
    return target.create_target_machine(cpu=cpu, features=features, opt=2, jit=True)


@cache
def compiled(op: str, machine: str, lanes: Lanes):
    """A function of arrays that applies a primitive; their length is a whole number of vectors."""
    module = Module()
    names = [f"%x{k}" for k in range(PRIMITIVES[op][0])]
    arguments = [("ptr", name) for name in ("%out", *names)]
    code = Function(module, "apply", [*arguments, ("i64", "%n")], lanes, public=True)
    with code.loop("0", "%n", str(lanes.count)) as i:
        operands = [code.load(name, i) for name in names]
        code.store(FUNCTIONS[op](code, *operands), "%out", i)
    code.do("ret void")
    module.add(code)
    parsed = llvm.parse_assembly(module.text())
    parsed.verify()
    engine = llvm.create_mcjit_compiler(parsed, target_machine(machine))
    engine.finalize_object()
    kinds = [ctypes.c_void_p] * len(arguments)
    call = ctypes.CFUNCTYPE(None, *kinds, ctypes.c_int64)(engine.get_function_address("apply"))

    def apply(*arrays: np.ndarray) -> np.ndarray:
        assert engine
        dtype, n = TYPES[lanes.kind], len(arrays[0])
        # Whole vectors; what fills the last one does not matter.
        full = [np.resize(a.astype(dtype), -(-n // lanes.count) * lanes.count) for a in arrays]
        out = np.empty_like(full[0])
        call(out.ctypes.data, *(a.ctypes.data for a in full), len(out))
        return out[:n]

    return apply


def exact(op: str, x: np.ndarray) -> np.ndarray:
    """The values in a wider type; infinite where they are beyond x's own."""
    with np.errstate(all="ignore"):
        right = EXACT[op](x.astype(np.float64 if x.dtype == np.float32 else np.longdouble))
        return np.where(np.abs(right) > np.finfo(x.dtype).max, right * np.inf, right)


def worst(op: str, machine: str, lanes: Lanes, x: np.ndarray) -> float:
    """The largest relative error where the argument and the exact value are normal numbers."""
    x = x.astype(TYPES[lanes.kind])
    got, right = compiled(op, machine, lanes)(x), exact(op, x)
    info = np.finfo(x.dtype)
    normal = (np.abs(right) >= info.tiny) & (np.abs(right) <= info.max) & (np.abs(x) >= info.tiny)
    assert normal.any()
    return float(np.max(np.abs(got[normal] / right[normal] - 1)))


def sweep(op: str, kind: str) -> np.ndarray:
    random = np.random.default_rng(0)
    small, large = (-37, 95) if kind == "float" else (-300, 720)
    n = 1 << 15
    if op == "log":
        near = 1 + random.choice([-1, 1], n) * 10 ** random.uniform(-15, -0.01, n)
        return np.concatenate(
            [10 ** random.uniform(small, -small, n), np.linspace(0.3, 3, 4 * n), near]
        )
    size = 10 ** random.uniform(small, 2, n)
    return np.concatenate(
        [np.linspace(-bound, bound, 2 * n + 1) for bound in (large, 20, 1, 0.2)] + [size, -size]
    )


def test_every_primitive_has_its_function():
    assert FUNCTIONS.keys() == PRIMITIVES.keys() - {"mean"}  # Which is no function of one unit.


@every_vector
@pytest.mark.parametrize("op", EXACT)
def test_the_error_is_of_the_order_of_rounding(op, machine, lanes):
    assert worst(op, machine, lanes, sweep(op, lanes.kind)) < TOLERANCE[lanes.kind]


@every_vector
@pytest.mark.parametrize("op", EXACT)
def test_the_ends(op, machine, lanes):
    x = np.array([np.inf, -np.inf, 0.0, np.nan, 1e30, -1e30, -1000.0, 1000.0], TYPES[lanes.kind])
    got, right = compiled(op, machine, lanes)(x), exact(op, x)
    if op == "exp":
        assert got[2] == 1
    if op == "tanh":
        assert np.all(np.abs(got[:3]) == [1, 1, 0])
    # What is denormal or smaller is exactly 0.
    right[np.abs(right) < np.finfo(x.dtype).tiny] = 0
    np.testing.assert_allclose(got, right, rtol=TOLERANCE[lanes.kind], atol=0)


@every_vector
def test_exp_has_the_range_of_its_type(machine, lanes):
    info = np.finfo(TYPES[lanes.kind])
    ends = np.array([np.log(info.tiny), np.log(info.max)], info.dtype)
    steps = np.arange(-2000, 2001)[:, None] * np.spacing(ends)
    x = np.ravel(ends + steps).astype(info.dtype)
    got, right = compiled("exp", machine, lanes)(x), exact("exp", x)
    # The very last doubles before the denormal ones may be 0 already.
    inside = (right > info.tiny * (1 + 1e-12)) & np.isfinite(right)
    assert np.max(np.abs(got[inside] / right[inside] - 1)) < TOLERANCE[lanes.kind]
    assert np.all(np.isinf(got[np.isinf(right)]))
    assert np.all(got[right < info.tiny] < info.tiny)


@every_vector
def test_tanh_stays_within_1(machine, lanes):
    x = np.linspace(2, 25, 1 << 16)
    assert np.max(np.abs(compiled("tanh", machine, lanes)(np.concatenate([x, -x])))) <= 1


@every_vector
def test_log_of_denormals(machine, lanes):
    info = np.finfo(TYPES[lanes.kind])
    x = np.array([info.smallest_subnormal, info.tiny / 3, info.tiny], info.dtype)
    np.testing.assert_allclose(
        compiled("log", machine, lanes)(x), exact("log", x), rtol=TOLERANCE[lanes.kind]
    )


@every_vector
@pytest.mark.parametrize("op", [op for op in FUNCTIONS if op not in EXACT])
def test_the_others_are_as_in_torch(op, machine, lanes):
    arity = PRIMITIVES[op][0]
    random = np.random.default_rng(1)
    special = [np.nan, np.inf, -np.inf, 0.0, 1.0, -2.5]
    corners = np.array(list(product(special, repeat=min(arity, 2)))).T
    arrays = [
        np.concatenate([random.normal(size=100) * 3, corners[k % 2]]).astype(TYPES[lanes.kind])
        for k in range(arity)
    ]
    tensors = [torch.from_numpy(a) for a in arrays]
    if op == "where":
        right = torch.where(tensors[0] < tensors[1], tensors[2], tensors[3])
    elif op == "sqrt":  # torch's own is not the nearest number
        with np.errstate(invalid="ignore"):
            right = torch.from_numpy(np.sqrt(arrays[0]))
    else:
        right = getattr(torch, op)(*tensors)
    exactly = op not in ("sin", "cos")
    torch.testing.assert_close(
        torch.from_numpy(compiled(op, machine, lanes)(*arrays)), right, equal_nan=True,
        rtol=0 if exactly else TOLERANCE[lanes.kind], atol=0 if exactly else 1e-15,
    )  # fmt: skip


@every_vector
def test_floor_of_any_size_and_sign(machine, lanes):
    info = np.finfo(TYPES[lanes.kind])
    half = 2.0**info.nmant - 0.5  # The largest number that is not whole.
    sizes = [0.0, info.tiny, 0.5, np.nextafter(info.dtype.type(1), 0), 1.0, 1.5, half, 2 * half,
             2.0 ** info.nmant, 1e30, info.max, np.inf, np.nan]  # fmt: skip
    x = np.array([*sizes, *(-size for size in sizes)], info.dtype)
    got = compiled("floor", machine, lanes)(x)
    np.testing.assert_array_equal(got, np.floor(x))
    numbers = ~np.isnan(x)
    np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(np.floor(x)[numbers]))


@pytest.mark.parametrize("op", EXACT)
@given(values=st.lists(st.floats(width=32), min_size=1, max_size=40))
@settings(deadline=None, max_examples=100)
def test_any_float(op, values):
    x = np.array(values, np.float32)
    info = np.finfo(np.float32)
    right = exact(op, x)
    for machine, lanes in (("host", Lanes("float", 16)), ("host", Lanes("float", 8))):
        got = compiled(op, machine, lanes)(x)
        np.testing.assert_allclose(got, right, rtol=TOLERANCE["float"], atol=float(info.tiny))
