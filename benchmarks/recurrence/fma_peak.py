"""A loop of multiply-adds that never leaves the registers: the most that the processor can do."""

from __future__ import annotations

import ctypes
import time
from concurrent.futures import ThreadPoolExecutor

CHAINS = {16: 24, 8: 12, 4: 24}
"""Independent sums, by numbers in a vector: enough to hide the latency, and all in registers."""


class FmaPeak:
    """A call that does `flops` multiplications and additions in float32.

    Args:
        threads: Each does an equal share.
        seconds: For which a call shall last, about.
    """

    def __init__(self, threads: int, seconds: float = 0.05) -> None:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        lanes = 16 if features.get("avx512f") else 8 if features.get("avx2") else 4
        chains = CHAINS[lanes]
        target = llvm.Target.from_default_triple()
        machine = target.create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=3, jit=True
        )
        module = llvm.parse_assembly(_source(lanes, chains))
        # Kept, since it owns the code.
        self.engine = llvm.create_mcjit_compiler(module, machine)
        self.engine.finalize_object()
        address = self.engine.get_function_address("chains")
        # A CFUNCTYPE lets go of the interpreter's lock while it runs.
        self.run = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)(address)
        self.room = [(ctypes.c_float * lanes)() for _ in range(threads)]
        self.pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self.turns = 1 << 16
        start = time.perf_counter()
        self.run(self.turns, self.room[0])
        self.turns = max(1, int(self.turns * seconds / (time.perf_counter() - start)))
        self.flops = 2 * lanes * chains * self.turns * threads

    def __call__(self) -> None:
        """Do what is timed."""
        mine, *others = self.room
        waiting = [self.pool.submit(self.run, self.turns, room) for room in others]
        self.run(self.turns, mine)
        for one in waiting:
            one.result()

    def close(self) -> None:
        """End the threads."""
        if self.pool is not None:
            self.pool.shutdown()


def _source(lanes: int, chains: int) -> str:
    """LLVM's text of the loop: each sum is halved and one is added, over and over."""
    vector = f"<{lanes} x float>"
    half, one = (f"<{', '.join([f'float {v}'] * lanes)}>" for v in ("5.0e-1", "1.0"))
    fma = f"@llvm.fma.v{lanes}f32"
    count = range(chains)
    starts = [f"  %a{k} = phi {vector} [ {one}, %entry ], [ %b{k}, %loop ]" for k in count]
    sums = [
        f"  %b{k} = call {vector} {fma}({vector} %a{k}, {vector} {half}, {vector} {one})"
        for k in count
    ]
    adds = [
        f"  %s{k} = fadd {vector} %b{k}, " + (f"%s{k - 1}" if k else "zeroinitializer")
        for k in count
    ]
    return "\n".join(
        [
            f"declare {vector} {fma}({vector}, {vector}, {vector})",
            "define void @chains(i64 %turns, ptr %out) {",
            "entry:",
            "  br label %loop",
            "loop:",
            "  %i = phi i64 [ 0, %entry ], [ %next, %loop ]",
            *starts,
            *sums,
            "  %next = add i64 %i, 1",
            "  %more = icmp slt i64 %next, %turns",
            "  br i1 %more, label %loop, label %done",
            "done:",
            *adds,
            f"  store {vector} %s{chains - 1}, ptr %out, align 4",
            "  ret void",
            "}",
        ]
    )
