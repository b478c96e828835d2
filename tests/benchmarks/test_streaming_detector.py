import pytest

from benchmarks import streaming_detector
from benchmarks.harness import Result


def test_a_small_run(capsys):
    arguments = ["--threads", "1", "--readings", "200", "--channels", "2", "--hidden", "8"]
    benchmark = streaming_detector.Benchmark(
        "streaming_detector",
        streaming_detector.measure,
        streaming_detector.gate,
        arguments=streaming_detector.arguments,
    )
    assert benchmark.main(arguments) == 0
    assert "microseconds" in capsys.readouterr().out


@pytest.mark.parametrize(("apart", "is_open"), [(1e-6, True), (1e-2, False)])
def test_the_gate_is_shut_where_stream_and_table_differ(apart, is_open):
    assert (streaming_detector.gate(Result({"apart": apart})) is None) is is_open
