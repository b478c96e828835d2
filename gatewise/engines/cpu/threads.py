"""Compiled jobs on several threads: those that torch has, so that the two do not fight."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

_FLUSH = {
    "mxcsr": """
declare void @llvm.x86.sse.stmxcsr(ptr)
declare void @llvm.x86.sse.ldmxcsr(ptr)

define internal i64 @flush() nounwind {
  %slot = alloca i32
  call void @llvm.x86.sse.stmxcsr(ptr %slot)
  %old = load i32, ptr %slot
  %new = or i32 %old, 32832
  store i32 %new, ptr %slot
  call void @llvm.x86.sse.ldmxcsr(ptr %slot)
  %wide = zext i32 %old to i64
  ret i64 %wide
}

define internal void @restore(i64 %old) nounwind {
  %slot = alloca i32
  %narrow = trunc i64 %old to i32
  store i32 %narrow, ptr %slot
  call void @llvm.x86.sse.ldmxcsr(ptr %slot)
  ret void
}
""",
    "fpcr": """
declare i64 @llvm.aarch64.get.fpcr()
declare void @llvm.aarch64.set.fpcr(i64)

define internal i64 @flush() nounwind {
  %old = call i64 @llvm.aarch64.get.fpcr()
  %new = or i64 %old, 16777216
  call void @llvm.aarch64.set.fpcr(i64 %new)
  ret i64 %old
}

define internal void @restore(i64 %old) nounwind {
  call void @llvm.aarch64.set.fpcr(i64 %old)
  ret void
}
""",
    "": """
define internal i64 @flush() nounwind {
  ret i64 0
}

define internal void @restore(i64 %old) nounwind {
  ret void
}
""",
}

# Which thread of OpenMP this is, and how many there are.
_WHO = """
  %at1 = getelementptr i64, ptr %region, i64 1
  %number = load ptr, ptr %at1
  %at2 = getelementptr i64, ptr %region, i64 2
  %all = load ptr, ptr %at2
  %thread32 = call i32 %number()
  %threads32 = call i32 %all()
  %thread = sext i32 %thread32 to i64
  %threads = sext i32 %threads32 to i64
"""

# A region's words: how many jobs, the addresses of two functions of OpenMP, the jobs.
_REGION = f"""
define void @one(ptr %job) nounwind {{
  %old = call i64 @flush()
  %function = load ptr, ptr %job
  call void %function(ptr %job)
  call void @restore(i64 %old)
  ret void
}}

define void @part(ptr %region, i64 %thread, i64 %threads) nounwind {{
entry:
  %old = call i64 @flush()
  %count = load i64, ptr %region
  %jobs = getelementptr i64, ptr %region, i64 3
  br label %head
head:
  %k = phi i64 [ %thread, %entry ], [ %next, %body ]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %body, label %leave
body:
  %at = getelementptr i64, ptr %jobs, i64 %k
  %job = load ptr, ptr %at
  %function = load ptr, ptr %job
  call void %function(ptr %job)
  %next = add i64 %k, %threads
  br label %head
leave:
  call void @restore(i64 %old)
  ret void
}}

define void @region(ptr %region) nounwind {{
{_WHO}
  call void @part(ptr %region, i64 %thread, i64 %threads)
  ret void
}}

define void @together(ptr %region) nounwind {{
{_WHO}
  %count = load i64, ptr %region
  %enough = icmp sge i64 %threads, %count
  br i1 %enough, label %team, label %few
team:
  call void @part(ptr %region, i64 %thread, i64 %threads)
  ret void
few:
  %first = icmp eq i64 %thread, 0
  br i1 %first, label %single, label %leave
single:
  call void @alone(ptr %region)
  ret void
leave:
  ret void
}}

define void @alone(ptr %region) nounwind {{
  %count = load i64, ptr %region
  %jobs = getelementptr i64, ptr %region, i64 3
  %at = getelementptr i64, ptr %jobs, i64 %count
  %job = load ptr, ptr %at
  call void @one(ptr %job)
  ret void
}}

define void @region_one(ptr %region) nounwind {{
  call void @part(ptr %region, i64 0, i64 1)
  ret void
}}
"""


def text(flush: str) -> str:
    """Give the functions that run jobs, in LLVM's language.

    Args:
        flush: As in `Host`: how denormals are flushed while a job runs.
    """
    return _FLUSH[flush] + _REGION


def header() -> tuple[int, int]:
    """Give the words that stand in a region between the number of its jobs and the jobs."""
    return _native().numbers


def start(region: int, threads: int) -> None:
    """Run the jobs of a region that is in memory already; see `run`.

    Args:
        region: Address of the number of jobs, then `header()`, then the addresses of the jobs.
        threads: How many may share the jobs.
    """
    native = _native()
    if threads <= 1 or _is_child:
        native.region_one(region)
    elif native.parallel is not None:
        native.parallel(native.region, region, threads, 0)
    else:
        _workers().run(native.part, region, threads)


def start_together(region: int, threads: int) -> None:
    """Run jobs that wait for each other, each on a thread of its own; see `start`.

    Args:
        region: As for `start`; behind the jobs stands the address of one that does the work of all
            of them, for where there are too few threads.
        threads: As many as jobs.
    """
    native = _native()
    if _is_child or native.parallel is None:
        native.alone(region)
    else:
        native.parallel(native.together, region, threads, 0)


def run(jobs: Sequence[int] | np.ndarray, threads: int) -> None:
    """Run every job once, and return when all are done.

    Denormals count as 0 meanwhile, on whatever thread. Other Python threads go on.

    Args:
        jobs: Addresses of blocks of int64; each one's first word is the address of a function
            that takes the block's.
        threads: How many may share the jobs; thread t takes every job t + n * threads. Best
            torch's own number, whatever the number of jobs: OpenMP ends threads that a smaller
            team leaves over and has to start them again.
    """
    region = array("q", (len(jobs), *header()))
    region.extend(jobs)
    start(region.buffer_info()[0], threads if len(jobs) > 1 else 1)


def caller() -> Callable[[int], None]:
    """Give what `call` calls, for those who call so often that each name counts."""
    return _native().one


def call(job: int) -> None:
    """Run one job here and now, in a microsecond: other Python threads wait for it."""
    _native().one(job)


class _Native(NamedTuple):
    """Compiled functions, and what OpenMP offers.

    Attributes:
        one: Runs a job, with Python's lock held.
        region_one: Runs all jobs of a region.
        part: Runs a thread's jobs of a region.
        alone: Runs the job behind those of a region.
        together: Address of what every thread of OpenMP runs, if jobs wait for each other.
        region: Address of what every thread of OpenMP runs.
        numbers: Addresses of `omp_get_thread_num` and `omp_get_num_threads`.
        parallel: `GOMP_parallel`, where there is one.
    """

    one: Callable[[int], None]
    region_one: Callable[[int], None]
    part: Callable[[int, int, int], None]
    alone: Callable[[int], None]
    together: int
    region: int
    numbers: tuple[int, int]
    parallel: Callable[[int, int, int, int], None] | None


@lru_cache(maxsize=1)
def _native() -> _Native:
    from .host import host
    from .jit import compiled

    machine = host()
    library = compiled("threads", lambda: text(machine.flush), machine)
    address, word = ctypes.c_void_p, ctypes.c_int64
    parallel, numbers = _openmp()
    return _Native(
        one=ctypes.PYFUNCTYPE(None, address)(library.address("one")),
        region_one=ctypes.CFUNCTYPE(None, address)(library.address("region_one")),
        part=ctypes.CFUNCTYPE(None, address, word, word)(library.address("part")),
        alone=ctypes.CFUNCTYPE(None, address)(library.address("alone")),
        together=library.address("together"),
        region=library.address("region"),
        numbers=numbers,
        parallel=parallel,
    )


def _openmp() -> tuple[Callable[[int, int, int, int], None] | None, tuple[int, int]]:
    """Find the OpenMP that torch itself calls, of however many are loaded."""
    if sys.platform == "win32":
        return None, (0, 0)
    for library in _libraries():
        try:
            parallel = library.GOMP_parallel
            ask = (library.omp_get_thread_num, library.omp_get_num_threads)
        except AttributeError:
            continue
        parallel.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
        parallel.restype = None
        first, second = (ctypes.cast(f, ctypes.c_void_p).value or 0 for f in ask)
        return parallel, (first, second)
    return None, (0, 0)


def _libraries() -> list[ctypes.CDLL]:
    """Where the system looks for a function that torch calls, in its order."""
    import torch

    # Preloaded and global libraries first, then what torch was linked with.
    suffix = "dylib" if sys.platform == "darwin" else "so"
    path = Path(torch.__file__).parent / "lib" / f"libtorch_cpu.{suffix}"
    return [ctypes.CDLL(None), *([ctypes.CDLL(str(path))] if path.exists() else [])]


class _Workers:
    """Threads of our own, for where there is no OpenMP to ask."""

    def __init__(self) -> None:
        self._parts: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0

    def run(self, part: Callable[[int, int, int], None], region: int, threads: int) -> None:
        """Run `part(region, t, threads)` for every t at the same time."""
        self._grow(threads - 1)
        left = set(range(1, threads))
        done: SimpleQueue[None] = SimpleQueue()

        def work(thread: int) -> None:
            part(region, thread, threads)
            left.discard(thread)
            done.put(None)

        for thread in range(1, threads):
            self._parts.put(lambda thread=thread: work(thread))
        # Jobs write to memory of the caller's, who must not go on before, not even by Ctrl-C.
        stopped = None
        try:
            part(region, 0, threads)
        except KeyboardInterrupt as stop:
            stopped = stop
        while left:
            try:
                done.get()
            except KeyboardInterrupt as stop:
                stopped = stop
        if stopped is not None:
            raise stopped

    def _grow(self, count: int) -> None:
        with self._lock:
            while self._count < count:
                self._count += 1
                threading.Thread(target=self._serve, name="gatewise", daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._parts.get()()


@lru_cache(maxsize=1)
def _workers() -> _Workers:
    return _Workers()


_is_child = False


def is_child() -> bool:
    """Whether this process was forked from one that had threads, and has none itself."""
    return _is_child


def _in_child() -> None:
    """After a fork there are no threads, though OpenMP and the queue would believe in them."""
    global _is_child
    _is_child = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
