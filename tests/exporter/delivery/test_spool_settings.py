"""The settings of the spool."""

from __future__ import annotations

from pathlib import Path

import pytest

from opentelemetry.exporter.mlflow._delivery._spool_settings import (
    SpoolSettings,
    read_spool_settings,
)


def test_there_is_no_spool_by_default():
    assert read_spool_settings() is None


def test_defaults(tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_SPOOL", str(tmp_path / "a" / "spool"))
    settings = SpoolSettings(tmp_path / "a" / "spool", 2**30, 604800)
    assert read_spool_settings() == settings
    assert not settings.folder.parent.exists()


def test_arguments_take_precedence(tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_SPOOL", "elsewhere")
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_SPOOL_MAX_BYTES", "1000")
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_SPOOL_MAX_AGE", "60")
    assert read_spool_settings(tmp_path) == (tmp_path, 1000, 60)
    assert read_spool_settings(tmp_path, 7, 0.5) == (tmp_path, 7, 0.5)


def test_the_folder_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_spool_settings("spool").folder == tmp_path / "spool"
    assert read_spool_settings("~/spool").folder == Path.home() / "spool"


@pytest.mark.parametrize("value", ["0", "-1", "1GiB", "1.5", "²"])
def test_an_invalid_number_of_bytes(monkeypatch, value):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_SPOOL_MAX_BYTES", value)
    with pytest.raises(ValueError, match="MAX_BYTES must be a number of bytes"):
        read_spool_settings()


def test_an_invalid_age():
    with pytest.raises(ValueError, match="the argument spool_max_age must be a number"):
        read_spool_settings(max_age=0)


def test_a_folder_that_must_not_be_read_now(monkeypatch, tmp_path):
    def fail(_):
        raise PermissionError

    monkeypatch.setattr(Path, "exists", fail)
    assert read_spool_settings(tmp_path).folder == tmp_path


@pytest.mark.parametrize("name", ["file", "file/spool"])
def test_a_file_in_the_place_of_a_folder(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file") as error:
        read_spool_settings(tmp_path / name)
    assert str(error.value) == (
        "the argument spool must be a folder on a local disk, which is created if it "
        f"does not exist; {tmp_path}/file is a file"
    )
