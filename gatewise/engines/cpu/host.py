"""What the vector units of this machine can do, and how LLVM is told so."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ...errors import InputError

if TYPE_CHECKING:
    from llvmlite.binding import TargetMachine

_VARIABLE = "GATEWISE_CPU"

# What kernels of 64-byte vectors are made of; LLVM adds what these imply.
_AVX512 = ("avx512f", "avx512dq", "avx512bw", "avx512vl", "fma")
_AVX2 = ("avx2", "fma")


@dataclass(frozen=True)
class Host:
    """A machine that code is made for.

    Attributes:
        name: `avx512`, `avx2`, `neon` or `plain`.
        triple: Machine and system, as LLVM names them.
        cpu: The processor, as LLVM names it.
        features: What it has and what it must not use: `+avx2,-avx512f`.
        vector_bytes: Size of one vector register.
        registers: How many there are.
        flush: The register that says what becomes of denormals: `mxcsr`, `fpcr` or none, `""`.
    """

    name: str
    triple: str
    cpu: str
    features: str
    vector_bytes: int
    registers: int
    flush: str

    def target_machine(self, opt: int = 2) -> TargetMachine:
        """Give LLVM's code generator for this machine; each engine needs its own."""
        import llvmlite.binding as llvm

        initialize()
        if self.triple != llvm.get_process_triple():
            llvm.initialize_all_targets()
            llvm.initialize_all_asmprinters()
        target = llvm.Target.from_triple(self.triple)
        return target.create_target_machine(cpu=self.cpu, features=self.features, opt=opt, jit=True)


def host() -> Host:
    """Give the best kind of vectors of this machine, or the one that `GATEWISE_CPU` names.

    Raises:
        InputError: `GATEWISE_CPU` names what there is not, or what this machine lacks.
    """
    return _host(os.environ.get(_VARIABLE, ""))


def foreign(name: str) -> Host:
    """Give a typical machine with such vectors, to look at code that is not run here.

    Example:
        >>> foreign("neon").triple
        'aarch64-unknown-linux-gnu'
    """
    cpus = {"avx512": "x86-64-v4", "avx2": "x86-64-v3", "plain": "x86-64", "neon": "generic"}
    machine = "aarch64" if name == "neon" else "x86_64"
    return _make(name, f"{machine}-unknown-linux-gnu", cpus[name], "")


@lru_cache(maxsize=1)
def initialize() -> None:
    """Prepare LLVM for the machine that this process runs on."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


@lru_cache
def _host(wanted: str) -> Host:
    import llvmlite.binding as llvm

    triple, cpu, features = llvm.get_process_triple(), llvm.get_host_cpu_name(), _features()
    names = _names(_machine(triple), features)
    name = wanted or names[0]
    if name not in names:
        raise InputError(
            f"{_VARIABLE}={wanted}: this machine takes {', '.join(names)}; "
            "give one of these or unset it"
        )
    if name == "plain":
        return _make(name, triple, "x86-64" if _machine(triple) == "x86_64" else "generic", "")
    if name == "avx2":
        # A processor's name alone would bring back what it has besides.
        features = {key: on and not _is_avx512(key) for key, on in features.items()}
    said = ",".join(f"{'+' if on else '-'}{key}" for key, on in sorted(features.items()))
    return _make(name, triple, cpu, said)


def _features() -> dict[str, bool]:
    import llvmlite.binding as llvm

    try:
        return dict(llvm.get_host_cpu_features())
    except RuntimeError:  # LLVM cannot find out on every system
        return {}


def _names(machine: str, features: dict[str, bool]) -> list[str]:
    """What a machine can run, the best first."""
    if machine == "aarch64":
        return ["neon", "plain"]
    if machine != "x86_64":
        return ["plain"]
    needs = {"avx512": _AVX512, "avx2": _AVX2}
    return [*(n for n, all_ in needs.items() if all(features.get(k) for k in all_)), "plain"]


def _is_avx512(feature: str) -> bool:
    return "avx512" in feature or feature.startswith("avx10")


def _machine(triple: str) -> str:
    machine = triple.split("-")[0]
    return {"arm64": "aarch64"}.get(machine, machine)


def _make(name: str, triple: str, cpu: str, features: str) -> Host:
    size, registers = {"avx512": (64, 32), "avx2": (32, 16), "neon": (16, 32)}.get(name, (16, 16))
    return Host(
        name=name,
        triple=triple,
        cpu=cpu,
        features=features,
        vector_bytes=size,
        registers=registers,
        flush={"x86_64": "mxcsr", "aarch64": "fpcr"}.get(_machine(triple), ""),
    )
