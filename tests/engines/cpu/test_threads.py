"""Jobs run once each, side by side, with denormals flushed, and leave no trace."""

import _thread
import ctypes
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from gatewise.engines.cpu import threads
from gatewise.engines.cpu.host import foreign, host
from gatewise.engines.cpu.jit import assembly, compile_text

from .snippets import COUNT, DOUBLE, MEET, blocks

# The least normal number of float32 is near 1e-38.
DENORMAL = 1e-40


@pytest.fixture(params=["openmp", "workers"])
def runner(request, monkeypatch):
    """Both ways to have threads; the second is for systems without an OpenMP to ask."""
    if request.param == "workers":
        monkeypatch.setattr(threads, "_openmp", lambda: (None, (0, 0)))
    elif threads._openmp()[0] is None:
        pytest.skip("torch has no OpenMP here that could be asked")
    threads._native.cache_clear()
    yield threads.run
    threads._native.cache_clear()


def counters(count):
    return blocks(compile_text(COUNT, host()), count)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 64])
@pytest.mark.parametrize("number", [1, 2, 3, 8])
def test_every_job_once(runner, count, number):
    table, jobs = counters(count)
    runner(jobs, number)
    assert table[:, 1].tolist() == [1] * count
    runner(np.array(jobs, np.int64), number)
    assert table[:, 1].tolist() == [2] * count


def test_jobs_run_side_by_side(runner):
    library = compile_text(MEET, host())
    flags = np.zeros(2, np.int64)
    table, jobs = blocks(library, 2, 5)
    table[:, 1] = [flags[k:].ctypes.data for k in (0, 1)]
    table[:, 2] = [flags[k:].ctypes.data for k in (1, 0)]
    table[:, 3] = 1 << 31
    runner(jobs, 2)
    assert table[:, 4].tolist() == [1, 1]


def test_one_thread_runs_them_in_order(runner):
    table, jobs = blocks(compile_text(MEET, host()), 2, 5)
    flags = np.zeros(2, np.int64)
    table[:, 1] = [flags[k:].ctypes.data for k in (0, 1)]
    table[:, 2] = [flags[k:].ctypes.data for k in (1, 0)]
    table[:, 3] = 1
    runner(jobs, 1)
    assert table[:, 4].tolist() == [0, 1]


def doublers(count):
    table, jobs = blocks(compile_text(DOUBLE, host()), count)
    numbers = table.view(np.float32)[:, 2]
    numbers[:] = DENORMAL
    return numbers, jobs


@pytest.mark.skipif(not host().flush, reason="this machine cannot flush")
def test_denormals_are_flushed_inside_only(runner):
    assert host().flush in threads._FLUSH
    numbers, jobs = doublers(8)
    with torch.inference_mode():
        for number in (1, 2):
            numbers[:] = DENORMAL
            runner(jobs, number)
            assert numbers.tolist() == [0] * 8
    # On this thread, and on those of OpenMP, to which torch hands its share.
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    assert (torch.full((1 << 20,), DENORMAL) * 2 > 0).all()
    torch.set_num_threads(before)


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="torch cannot flush here")
def test_who_flushes_already_goes_on_flushing(runner):
    _, jobs = doublers(2)
    torch.set_flush_denormal(True)
    try:
        runner(jobs, 2)
        assert (torch.full((1,), DENORMAL) * 2).item() == 0
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.skipif(not host().flush, reason="this machine cannot flush")
def test_call_runs_one_job_and_flushes():
    table, jobs = counters(1)
    threads.call(jobs[0])
    assert table[0, 1] == 1
    numbers, jobs = doublers(1)
    threads.call(jobs[0])
    assert numbers[0] == 0
    assert np.float32(DENORMAL) * np.float32(2) > 0


def test_many_python_threads_at_once(runner):
    tables = [counters(6) for _ in range(8)]
    start = threading.Barrier(len(tables))

    def work(jobs):
        start.wait()
        for _ in range(100):
            runner(jobs, 2)

    workers = [threading.Thread(target=work, args=(jobs,)) for _, jobs in tables]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all((table[:, 1] == 100).all() for table, _ in tables)


@pytest.mark.parametrize("looks", [1, 1 << 28])
def test_interrupt_waits_for_the_jobs(monkeypatch, looks):
    monkeypatch.setattr(threads, "_openmp", lambda: (None, (0, 0)))
    threads._native.cache_clear()
    table, jobs = blocks(compile_text(MEET, host()), 2, 5)
    flags = np.zeros(2, np.int64)
    never = np.zeros(1, np.int64)
    table[:, 1] = [flags[k:].ctypes.data for k in (0, 1)]
    table[:, 2] = never.ctypes.data
    table[:, 3] = [looks, 1 << 29]
    table[:, 4] = -1
    timer = threading.Timer(0.05, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        threads.run(jobs, 2)
    assert table[:, 4].tolist() == [0, 0]
    threads._native.cache_clear()


def test_own_workers_end_with_the_process(monkeypatch):
    monkeypatch.setattr(threads, "_openmp", lambda: (None, (0, 0)))
    threads._native.cache_clear()
    threads.run(counters(2)[1], 2)
    own = [thread for thread in threading.enumerate() if thread.name == "gatewise"]
    assert own
    assert all(thread.daemon for thread in own)
    threads._native.cache_clear()


@pytest.mark.parametrize("name", ["neon", "avx2", "plain"])
def test_text_for_other_machines(name):
    machine = foreign(name)
    code = assembly(threads.text(machine.flush), machine)
    assert ("FPCR" in code) == (name == "neon")
    assert ("ldmxcsr" in code) == (name != "neon")
    assert "region_one:" in assembly(threads.text(""), machine)


FORK = """
import os, torch
from gatewise.engines.cpu import threads
from tests.engines.cpu.test_threads import counters
table, jobs = counters(4)
threads.run(jobs, 2)
child = os.fork()
threads.run(jobs, 2)
assert table[:, 1].tolist() == [2] * 4
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_child_runs_alone():
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], timeout=60).returncode == 0


def where(function):
    """The file of the library that a function is in."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    for line in Path("/proc/self/maps").read_text().splitlines():
        first, last = (int(number, 16) for number in line.split()[0].split("-"))
        if first <= address < last:
            return line.split()[-1]


OTHER = """
import ctypes, sys, torch
theirs = ctypes.CDLL(sys.argv[1])
from gatewise.engines.cpu import threads
from tests.engines.cpu.test_threads import counters, where
assert where(theirs.GOMP_parallel) == sys.argv[1]
assert where(threads._native().parallel) == sys.argv[2]
"""


def test_takes_the_openmp_of_torch_among_several(tmp_path):
    parallel, _ = threads._openmp()
    if not sys.platform.startswith("linux") or parallel is None:
        pytest.skip("no OpenMP that could be asked, or no list of what is loaded")
    usual = where(parallel)
    other = str(tmp_path / os.path.basename(usual))
    shutil.copy(usual, other)
    command = [sys.executable, "-c", OTHER, other, usual]
    assert subprocess.run(command, timeout=60).returncode == 0
