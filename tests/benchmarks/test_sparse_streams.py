from benchmarks import sparse_streams
from benchmarks.harness import Result


def test_there_is_a_row_for_each_density_and_batch(capsys):
    arguments = ["--threads", "1", "--units", "32", "--batch", "1", "2", "--rounds", "1"]
    assert sparse_streams.BENCHMARK.main(arguments) == 0
    said = capsys.readouterr().out
    assert said.count("block_sparse:") == 2 * len(sparse_streams.DENSITIES)
    assert said.count("heads:") == 2 * len(sparse_streams.DENSITIES)


def test_gate():
    assert sparse_streams.gate(Result({"worst_error": 1e-7})) is None
    assert "off the sequence" in (sparse_streams.gate(Result({"worst_error": 0.1})) or "")
