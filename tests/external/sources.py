"""Where other people's tests and layers come from: fetched once, into a folder outside of git.

`python -m tests.external.sources` fetches what it can and says what it cannot; a test whose source
is not there skips. Nothing of it is part of the package, and no test in `make test` looks at it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.peers import environments
from gatewise.errors import nearest

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("GATEWISE_EXTERNAL", ROOT / ".peers" / "external")).resolve()

PACKAGES = (
    "einops==0.8.2",
    "flashrnn==1.0.8",
    "minGRU-pytorch==0.2.1",
    "omegaconf==2.3.1",
    "torchrecurrent==0.2.5",
    "xlstm==2.0.6",
)
"""Layers to compare with; installed without what they depend on, which the tests need not."""

FLAX = ("flax==0.12.8", "jax==0.10.2")
"""What is asked beside our own tests of its weights; with all that it needs."""

_RTNEURAL = "https://raw.githubusercontent.com/jatinchowdhury18/RTNeural/1fb1f07"
SIGNAL = {
    "models/lstm_torch.json": "da465c043ac10b75ce7fa511ac2a568e4c2e3b7ea053c6bf68071240f9291e1e",
    "test_data/lstm_torch_x_python.csv": (
        "c7f26d2ae3ae78ef43b43671b9258cfcbdf8e2c3a511471f44c3a422b58faadc"
    ),
    "test_data/lstm_torch_y_python.csv": (
        "3c721f7cfbd2df8cdbc0bce323a6fa984c6bf327c0d5e38df79e51af14359efd"
    ),
}
"""RTNeural's golden signal: a network's weights, what goes in, what comes out; each SHA-256."""

PYTORCH = "pytorch=2.6.0+dfsg-7"
"""torch's own tests are in no wheel; this is the newest source package of a Debian release."""

_ARCHIVE = "pytorch_2.6.0+dfsg.orig.tar.xz"
_WANTED = ("test/test_nn.py", "test/test_modules.py", "test/nn/")


def packages() -> Path:
    """The folder to put on the path for `PACKAGES`."""
    return FOLDER / "packages"


def pytorch_tests() -> Path:
    """The folder with torch's own tests."""
    return FOLDER / "pytorch" / "test"


def keras_packages() -> Path:
    """The folder to put on the path for Keras."""
    python = environments.python_of("keras")
    found = sorted(python.parent.parent.glob("lib/python*/site-packages"))
    return found[0] if found else python.parent.parent / "lib" / "site-packages"


def flax_packages() -> Path:
    """The folder to put on the path for Flax."""
    return FOLDER / "flax"


def rtneural() -> Path:
    """The folder with RTNeural's golden signal."""
    return FOLDER / "rtneural"


def fetch_packages() -> None:
    """Install `PACKAGES` into their folder."""
    _install(packages(), PACKAGES, "--no-deps")


def fetch_flax() -> None:
    """Install Flax into its folder."""
    _install(flax_packages(), FLAX)


def fetch_rtneural() -> None:
    """Download RTNeural's golden signal.

    Raises:
        ValueError: A file is not the one that is known.
    """
    for name, known in SIGNAL.items():
        with urllib.request.urlopen(f"{_RTNEURAL}/{name}", timeout=30) as answer:
            found = answer.read()
        if hashlib.sha256(found).hexdigest() != known:
            raise ValueError(f"{name} of RTNeural is not the file that is known")
        (rtneural() / name).parent.mkdir(parents=True, exist_ok=True)
        (rtneural() / name).write_bytes(found)


def fetch_pytorch_tests() -> None:
    """Download torch's source package from Debian and unpack its tests."""
    place = pytorch_tests().parent
    for name in ("state/lists/partial", "cache/archives/partial"):
        (place / name).mkdir(parents=True, exist_ok=True)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    mirror = os.environ.get("GATEWISE_DEBIAN", "http://deb.debian.org/debian")
    sources = place / "sources.list"
    sources.write_text(f"deb-src [signed-by={keyring}] {mirror} trixie main\n")
    apt = ["apt-get", "-qq", "-o", f"Dir::State={place / 'state'}",
           "-o", f"Dir::Cache={place / 'cache'}", "-o", f"Dir::Etc::sourcelist={sources}",
           "-o", "Dir::Etc::sourceparts=/dev/null"]  # fmt: skip
    _run([*apt, "update"], place)
    _run([*apt, "source", "--download-only", PYTORCH], place)
    with tarfile.open(place / _ARCHIVE) as archive:
        for member in archive:
            _, _, name = member.name.partition("/")
            if name.startswith(_WANTED):
                member.name = name
                archive.extract(member, place, filter="data")


def fetch_keras() -> None:
    """Make the environment that the benchmarks make for Keras too."""
    environments.make("keras")


SOURCES: dict[str, tuple[Callable[[], Path], Callable[[], bool], Callable[[], None]]] = {
    "packages": (packages, lambda: _made_from(packages(), PACKAGES), fetch_packages),
    "flax": (flax_packages, lambda: _made_from(flax_packages(), FLAX), fetch_flax),
    "rtneural": (rtneural, lambda: all((rtneural() / n).is_file() for n in SIGNAL), fetch_rtneural),
    "pytorch": (pytorch_tests, lambda: pytorch_tests().is_dir(), fetch_pytorch_tests),
    "keras": (keras_packages, lambda: keras_packages().is_dir(), fetch_keras),
}
"""Name to where a source lies, whether it does, and what fetches it."""


def main(names: Sequence[str]) -> int:
    for name in names:
        if name not in SOURCES:
            print(f"{name!r} is no source: {nearest(name, SOURCES)}", file=sys.stderr)
            return 2
    for name in names or SOURCES:
        place, ready, fetch = SOURCES[name]
        try:
            if not ready():
                fetch()
            print(f"{name}: in {place()}", flush=True)
        except (OSError, ValueError, subprocess.CalledProcessError, tarfile.TarError) as reason:
            said = (getattr(reason, "stderr", "") or str(reason)).strip().splitlines()
            print(f"{name}: not to be had, its tests skip ({said[-1] if said else reason})")
    return 0


def _made_from(folder: Path, wanted: Sequence[str]) -> bool:
    """Whether what is in a folder was made from these requirements."""
    made_from = folder / "requirements.txt"
    return made_from.is_file() and made_from.read_text() == "\n".join(wanted)


def _install(folder: Path, wanted: Sequence[str], *options: str) -> None:
    """Install packages into a folder of their own."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
               "--upgrade", "--target", str(folder), *options, *wanted]  # fmt: skip
    _run(command)
    (folder / "requirements.txt").write_text("\n".join(wanted))


def _run(command: list[str], folder: Path = ROOT) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
