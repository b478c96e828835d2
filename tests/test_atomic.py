"""A file is written whole or not at all."""

import os

import pytest

from gatewise._atomic import write_whole


def test_replaces_and_keeps_permissions(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_follows_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_failure_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert os.listdir(tmp_path) == ["a"]
    assert path.read_bytes() == b"old"


def test_device_is_written_to_and_stays_a_device():
    with pytest.raises(OSError, match="No space left"):
        write_whole("/dev/full", b"lost")
    assert os.path.exists("/dev/full")
    assert not os.path.isfile("/dev/full")
