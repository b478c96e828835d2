"""Text becomes code once, and whatever is on the disk is used only if it is that code."""

import ctypes
import math
import os
import platform
import subprocess
import sys
import threading
import time

import pytest

from gatewise.engines.cpu import jit, store
from gatewise.engines.cpu.host import host
from gatewise.engines.cpu.jit import compile_text, compiled

from .snippets import LIBM, answer, returned

posix = pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are POSIX's")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache of this test's own, and nothing compiled yet."""
    monkeypatch.setattr(jit, "_libraries", {})
    host()  # It is remembered in the cache that there is when it is first asked for.
    monkeypatch.setenv("GATEWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def restart(monkeypatch):
    """Forget what this process has compiled."""
    return lambda: monkeypatch.setattr(jit, "_libraries", {})


@pytest.fixture
def generated(monkeypatch):
    """The texts that code was generated for."""
    texts = []
    usual = jit._code

    def count(text, machine):
        texts.append(text)
        return usual(text, machine)

    monkeypatch.setattr(jit, "_code", count)
    return texts


def entry(folder):
    (path,) = folder.iterdir()
    return path


def test_finds_functions_of_libm(folder):
    function = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_float)(
        compile_text(LIBM, host()).address("all")
    )
    assert function(1.5) == pytest.approx(math.sin(math.exp(1.5)) + math.log(1.5), rel=1e-6)


def test_same_text_is_same_library(folder):
    library = compile_text(answer(5), host())
    assert compile_text(answer(5), host()) is library
    assert returned(compile_text(answer(6), host())) == 6
    with pytest.raises(KeyError, match="nothing"):
        library.address("nothing")


def test_broken_text(folder):
    with pytest.raises(RuntimeError, match="expected"):
        compile_text("define void", host())
    assert list(folder.iterdir()) == []


def test_second_process_generates_nothing(folder, restart, generated):
    compile_text(answer(7), host())
    restart()
    assert returned(compile_text(answer(7), host())) == 7
    assert generated == [answer(7)]


def test_text_is_not_written_for_what_is_there(folder, restart):
    def never():
        raise AssertionError("there is code for it")

    first = compiled("seven", lambda: answer(7), host())
    assert compiled("seven", never, host()) is first
    restart()
    assert returned(compiled("seven", never, host())) == 7


def test_other_sources_are_another_entry(folder, restart, generated, monkeypatch):
    compiled("eight", lambda: answer(8), host())
    monkeypatch.setattr(jit, "_sources", lambda: "of another version")
    assert returned(compiled("eight", lambda: answer(9), host())) == 9
    assert len(generated) == len(list(folder.iterdir())) == 2


def test_llvm_loads_what_is_not_linked(folder, restart, generated, monkeypatch):
    monkeypatch.setattr(jit, "linked", lambda code: None)
    for _ in range(2):
        library = compile_text(answer(21), host())
        assert returned(library) == 21
        with pytest.raises(KeyError, match="nothing"):
            library.address("nothing")
        restart()
    assert len(generated) == 1


SECOND = """
import sys, torch, gatewise
gatewise.nn.LSTM(3, 4)(torch.zeros(2, 3, 3))[0].sum().backward()
sys.exit("llvmlite.binding" in sys.modules)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="needs ELF for x86-64"
)
def test_second_process_does_not_load_llvm(folder):
    command = [sys.executable, "-c", SECOND]
    assert [subprocess.run(command, timeout=60).returncode for _ in range(2)] == [1, 0]


def test_another_host_or_format_is_another_entry(folder, restart, generated, monkeypatch):
    compile_text(answer(8), host())
    monkeypatch.setenv("GATEWISE_CPU", "plain")
    compile_text(answer(8), host())
    monkeypatch.setattr(jit, "_FORMAT", jit._FORMAT + 1)
    compile_text(answer(8), host())
    assert len(generated) == len(list(folder.iterdir())) == 3


def flip(content, at):
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: b"",
        lambda c: c[:40],
        lambda c: c[:-1],
        lambda c: c + b"\0",
        lambda c: flip(c, 0),
        lambda c: flip(c, 20),
        lambda c: flip(c, 50),
        lambda c: flip(c, 100),
        lambda c: flip(c, -1),
        lambda c: b"\x7fELF" + c[4:],
    ],
)
def test_damaged_entry_is_made_again(folder, restart, generated, damage):
    compile_text(answer(9), host())
    whole = entry(folder).read_bytes()
    entry(folder).write_bytes(damage(whole))
    restart()
    assert returned(compile_text(answer(9), host())) == 9
    assert len(generated) == 2
    assert entry(folder).read_bytes() == whole


def test_entry_of_another_text_is_not_taken(folder, restart, generated):
    compile_text(answer(10), host())
    other = entry(folder).read_bytes()
    entry(folder).unlink()
    compile_text(answer(11), host())
    entry(folder).write_bytes(other)
    restart()
    assert returned(compile_text(answer(11), host())) == 11
    assert len(generated) == 3


def test_full_disk_or_closed_folder_is_no_error(folder, restart, monkeypatch):
    def full(path, content, sync):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write_whole", full)
    assert returned(compile_text(answer(12), host())) == 12
    assert list(folder.iterdir()) == []
    for wrong in (os.devnull, os.path.join(os.devnull, "cache")):
        monkeypatch.setenv("GATEWISE_CACHE", wrong)
        restart()
        assert returned(compile_text(answer(12), host())) == 12


@posix
def test_read_only_folder_is_read(folder, restart, generated):
    compile_text(answer(13), host())
    folder.chmod(0o500)
    restart()
    assert returned(compile_text(answer(13), host())) == 13
    assert returned(compile_text(answer(14), host())) == 14
    folder.chmod(0o700)
    assert generated == [answer(13), answer(14)]


def test_empty_name_means_no_disk(tmp_path, restart, generated, monkeypatch):
    monkeypatch.setenv("GATEWISE_CACHE", "")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        restart()
        assert returned(compile_text(answer(15), host())) == 15
    assert len(generated) == 2
    assert list(tmp_path.iterdir()) == []


@posix
def test_usual_folder(tmp_path, restart, monkeypatch):
    monkeypatch.delenv("GATEWISE_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    compile_text(answer(16), host())
    assert (tmp_path / "xdg" / "gatewise").is_dir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    restart()
    compile_text(answer(16), host())
    assert entry(tmp_path / "home" / ".cache" / "gatewise").is_file()


@posix
def test_only_the_user_may_write(folder, restart, generated, monkeypatch):
    mask = os.umask(0)
    try:
        compile_text(answer(17), host())
    finally:
        os.umask(mask)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert entry(folder).stat().st_mode & 0o777 == 0o600
    entry(folder).chmod(0o666)
    restart()
    assert returned(compile_text(answer(17), host())) == 17
    assert len(generated) == 2
    folder.chmod(0o777)
    restart()
    assert returned(compile_text(answer(17), host())) == 17
    assert len(generated) == 3
    folder.chmod(0o700)
    owner = os.stat_result((0o40700, 0, 0, 1, os.geteuid() + 1, 0, 0, 0, 0, 0))
    monkeypatch.setattr(store.Path, "stat", lambda path, **how: owner)
    restart()
    assert returned(compile_text(answer(17), host())) == 17
    assert len(generated) == 4


@posix
def test_what_root_put_there_is_read(folder, restart, generated, monkeypatch):
    """A folder that came with the system: others read it and cannot change its times."""
    compile_text(answer(22), host())
    user, fstat, look = os.geteuid() + 1, os.fstat, store.Path.stat

    def of_root(about):
        mode, *numbers = about[:10]
        numbers[3] = 0
        return os.stat_result((mode, *numbers))

    def refused(path):
        raise PermissionError(path)

    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "fstat", lambda file: of_root(fstat(file)))
    monkeypatch.setattr(store.Path, "stat", lambda path, **how: of_root(look(path, **how)))
    monkeypatch.setattr(os, "utime", refused)
    restart()
    assert returned(compile_text(answer(22), host())) == 22
    assert len(generated) == 1


@posix
def test_read_only_file_system_is_read(folder, restart, generated, monkeypatch):
    compile_text(answer(23), host())

    def refused(path):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refused)
    restart()
    assert returned(compile_text(answer(23), host())) == 23
    assert len(generated) == 1


def test_least_recently_used_entries_go(folder, restart, monkeypatch):
    def code(value):
        return folder / f"{jit._key(answer(value), host()).hex()}.code"

    compile_text(answer(100), host())
    monkeypatch.setattr(store.Store, "_LIMIT", 3 * entry(folder).stat().st_size + 10)
    left_over = folder / f".{code(0).name}.x.part"
    left_over.write_bytes(b"half")
    other = folder / "notes"
    other.write_bytes(b"mine" * 1000)
    for age, path in enumerate([other, left_over, code(100)]):
        os.utime(path, (age, age))
    for age, value in enumerate([101, 102], start=3):
        compile_text(answer(value), host())
        os.utime(code(value), (age, age))
    restart()
    compile_text(answer(100), host())
    compile_text(answer(103), host())
    assert set(folder.iterdir()) == {other, code(100), code(102), code(103)}


def test_threads_compile_once(folder, generated):
    found, start = [], threading.Barrier(8)

    def work():
        start.wait()
        found.append(compile_text(answer(18), host()))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(found)) == len(generated) == 1


MANY = (
    "\n".join(f"define i64 @f{k}() {{\n  ret i64 {k}\n}}" for k in range(300)) + "\n" + answer(19)
)

RACER = """
import sys, time
from gatewise.engines.cpu.host import host
from gatewise.engines.cpu.jit import compile_text
from tests.engines.cpu.snippets import returned
from tests.engines.cpu.test_jit import MANY
host()
time.sleep(max(0, float(sys.argv[1]) - time.time()))
assert returned(compile_text(MANY, host())) == 19
"""


def test_processes_race_for_one_folder(folder):
    begin = str(time.time() + 1)
    racers = [subprocess.Popen([sys.executable, "-c", RACER, begin]) for _ in range(3)]
    assert [racer.wait(60) for racer in racers] == [0, 0, 0]
    # The code, and what the host is.
    assert [path.suffix for path in folder.iterdir()] == [".code"] * 2


FORK = """
import os, threading, time
from gatewise.engines.cpu.host import host
from gatewise.engines.cpu.jit import compile_text
from tests.engines.cpu.snippets import answer, returned
from tests.engines.cpu.test_jit import MANY
worker = threading.Thread(target=compile_text, args=(MANY, host()))
worker.start()
time.sleep(0.01)
child = os.fork()
assert returned(compile_text(MANY, host())) == 19
assert returned(compile_text(answer(20), host())) == 20
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_child_forked_amid_a_compilation_can_compile(monkeypatch):
    monkeypatch.setenv("GATEWISE_CACHE", "")
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], timeout=60).returncode == 0
