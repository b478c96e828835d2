"""Where other people's tests and layers come from: fetched once, into a folder outside of git.

`python -m tests.external.sources` fetches what it can and says what it cannot; a test whose source
is not there skips. Nothing of it is part of the package, and no test in `make test` looks at it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
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


def has_packages() -> bool:
    """Whether what is there was made from `PACKAGES` as they are now."""
    made_from = packages() / "requirements.txt"
    return made_from.is_file() and made_from.read_text() == "\n".join(PACKAGES)


def fetch_packages() -> None:
    """Install `PACKAGES` into their folder."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
               "--no-deps", "--upgrade", "--target", str(packages()), *PACKAGES]  # fmt: skip
    _run(command)
    (packages() / "requirements.txt").write_text("\n".join(PACKAGES))


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
    "packages": (packages, has_packages, fetch_packages),
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


def _run(command: list[str], folder: Path = ROOT) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
