import pytest

from benchmarks import startup
from benchmarks.harness import Result


def test_import_gatewise_loads_no_optional_package():
    seconds, loaded = startup.time_import("", "import gatewise")
    assert seconds > 0
    assert "gatewise" in loaded
    assert not loaded & set(startup.UNWANTED)


def test_only_what_comes_on_top_counts():
    _, loaded = startup.time_import("import wave", "import gatewise, wave")
    assert "wave" not in loaded


def test_gate():
    assert startup.gate(Result({"unwanted_packages": 0.0})) is None
    assert "import gatewise" in (startup.gate(Result({"unwanted_packages": 1.0})) or "")


def test_a_broken_statement_is_said():
    with pytest.raises(SystemExit, match="ModuleNotFoundError"):
        startup.time_import("", "import gatewise.nowhere")
