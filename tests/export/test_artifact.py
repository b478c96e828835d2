from __future__ import annotations

import json
import resource
import signal

import pytest
import torch

from gatewise.errors import InputError
from gatewise.export import Artifact, check_target, read, write
from gatewise.export.artifact import JSON, PARTS, TENSORS, VERSION


def artifact(size=100, **changed):
    description = dict.fromkeys(PARTS) | {"estimator": "Toy"} | changed
    return Artifact(description, {"network.a": torch.arange(size), "data.b": torch.ones(2)})


@pytest.fixture
def model(tmp_path):
    write(tmp_path / "model", artifact())
    return tmp_path / "model"


def test_what_is_written_is_read(model):
    found = read(model)
    assert found.description["estimator"] == "Toy"
    assert torch.equal(found.under("network")["a"], torch.arange(100))
    assert list(found.under("data")) == ["b"]
    assert sorted(p.name for p in model.parent.iterdir()) == ["model"]


def test_a_model_is_replaced_with_its_report_and_an_empty_folder_is_filled(model, tmp_path):
    (model / "report.html").write_text("old")
    write(model, artifact(3))
    assert len(read(model).tensors["network.a"]) == 3
    assert sorted(p.name for p in model.iterdir()) == [JSON, TENSORS]
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", artifact())
    write(tmp_path / "deep" / "down", artifact())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "empty", "model"]


def test_views_and_shared_tensors_are_written(tmp_path):
    whole = torch.arange(12.0).view(3, 4)
    held = {"network.a": whole.T, "network.b": whole, "network.c": whole[1]}
    write(tmp_path / "m", Artifact(artifact().description, held))
    assert all(torch.equal(t, held[n]) for n, t in read(tmp_path / "m").tensors.items())


def test_what_is_no_model_is_not_written_over(model, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"file is a file: name a folder"):
        check_target(tmp_path / "file")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_text("mine")
    with pytest.raises(InputError, match="is a folder of other things"):
        write(tmp_path / "photos", artifact())
    (model / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds notes.txt, which is no part of a model"):
        write(model, artifact())
    assert (model / "notes.txt").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / JSON).write_text('{"format": "theirs"}')
    with pytest.raises(InputError, match="is not a saved model of gatewise"):
        write(other, artifact())
    check_target(tmp_path / "new")


def rewrite(**changed):
    def act(model):
        held = json.loads((model / JSON).read_text()) | changed
        (model / JSON).write_text(json.dumps({k: v for k, v in held.items() if v != "gone"}))

    return act


def flip(model):
    content = bytearray((model / TENSORS).read_bytes())
    content[-3] ^= 1
    (model / TENSORS).write_bytes(content)


def cut(name, keep):
    def act(model):
        (model / name).write_bytes((model / name).read_bytes()[:keep])

    return act


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (flip, "its checksum differs"),
        (cut(TENSORS, 40), "40 bytes instead of"),
        (cut(TENSORS, 0), "0 bytes instead of"),
        (cut(JSON, 50), r"is damaged \(no valid JSON\)"),
        (lambda m: (m / JSON).write_bytes(b"\xff\xfe\x00"), r"is damaged \(no valid JSON\)"),
        (lambda m: (m / JSON).write_text("[]"), "is not a saved model of gatewise"),
        (lambda m: (m / JSON).unlink(), "is not a saved model"),
        (lambda m: (m / TENSORS).unlink(), r"cannot be read \(No such file"),
        (rewrite(version=VERSION + 1), "reads up to 1: upgrade gatewise"),
        (rewrite(version="gone"), r"is damaged \(no format version\)"),
        (rewrite(params="gone"), r"is damaged \(params is missing\)"),
        (rewrite(tensors="gone"), r"is damaged \(tensors is missing\)"),
        (rewrite(format="x"), "is not a saved model of gatewise"),
    ],
)
def test_damage_is_refused_with_one_sentence(model, damage, said):
    damage(model)
    with pytest.raises(InputError, match=said) as refused:
        read(model)
    assert "\n" not in str(refused.value)


def test_a_missing_model_is_said(tmp_path):
    with pytest.raises(InputError, match="there is no model at"):
        read(tmp_path / "nothing")


def test_a_full_disk_leaves_nothing_behind_and_the_old_model_whole(model):
    """The limit on a file's size stands for the disk: the write itself fails."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        for path in (model, model.parent / "new"):
            with pytest.raises(InputError, match=r"cannot be written \(File too large\)"):
                write(path, artifact(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert len(read(model).tensors["network.a"]) == 100
    assert sorted(p.name for p in model.parent.iterdir()) == ["model"]


def test_a_folder_that_cannot_be_renamed_in_place_leaves_the_old_model(model, monkeypatch):
    calls = []
    rename = __import__("os").rename

    def second_fails(*paths):
        calls.append(paths)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        rename(*paths)

    monkeypatch.setattr("gatewise.export.artifact.os.rename", second_fails)
    with pytest.raises(InputError, match="Input/output error"):
        write(model, artifact(3))
    assert len(read(model).tensors["network.a"]) == 100
    assert sorted(p.name for p in model.parent.iterdir()) == ["model"]


def test_a_value_that_json_cannot_hold_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write(tmp_path / "m", artifact(summary=float("nan")))
    assert list(tmp_path.iterdir()) == []
