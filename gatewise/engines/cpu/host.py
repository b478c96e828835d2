"""What the vector units of this machine can do, and how LLVM is told so."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ...errors import InputError
from .store import Store

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
        near = _stays_together(self.triple)
        return target.create_target_machine(
            cpu=self.cpu,
            features=self.features,
            opt=opt,
            jit=True,
            # Constants are where the instructions are, and need no addresses of their own.
            reloc="pic" if near else "default",
            codemodel="small" if near else "jitdefault",
        )


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
    triple, cpu, features = _processor()
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


Processor = tuple[str, str, dict[str, bool]]
"""Machine and system, and the processor, as LLVM names them; what it has and has not."""


@lru_cache(maxsize=1)
def _processor() -> Processor:
    """What LLVM says of this machine, now or to an earlier process: to load LLVM takes long."""
    about = _as_linux_says()
    store = Store.usual() if about else None
    if store is None:
        return _asked()
    import llvmlite

    key = hashlib.sha256(f"host {llvmlite.__version__}\n{about}".encode()).digest()
    known = store.read(key)
    if known is not None:
        return tuple(json.loads(known))
    found = _asked()
    store.write(key, json.dumps(found).encode())
    return found


def _asked() -> Processor:
    import llvmlite.binding as llvm

    return llvm.get_process_triple(), llvm.get_host_cpu_name(), _features()


def _as_linux_says() -> str:
    """What tells x86 processors apart, of the first of this machine; nothing elsewhere."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return ""
    try:
        with open("/proc/cpuinfo", "rb") as file:
            first, _, _ = file.read(1 << 14).decode("ascii", "replace").partition("\n\n")
    except OSError:
        return ""
    lines = (line for line in first.splitlines() if line.split("\t")[0].strip() in _TELLS)
    return "\n".join(lines)


_TELLS = frozenset({"vendor_id", "cpu family", "model", "model name", "stepping", "flags"})


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


def _stays_together(triple: str) -> bool:
    return _machine(triple) == "x86_64" and "linux" in triple


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


def widths(registers: int) -> tuple[int, ...]:
    """Vectors of the tiles of products, the widest first, for a number of registers."""
    return (4, 2, 1) if registers >= 32 else (2, 1)
