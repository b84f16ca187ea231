"""A local store before its first export."""

from __future__ import annotations

import sys
from importlib import metadata

import pytest

from .destination import new_destination


@pytest.mark.parametrize("package", ["mlflow-skinny", "sqlalchemy"])
def test_missing_package_raises_import_error(monkeypatch, package):
    if package == "mlflow-skinny":

        def version(name):
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", version)
    else:
        monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(ImportError, match="pip install mlflow"):
        new_destination("sqlite:///mlflow.db")


def test_close_does_not_open_store():
    destination = new_destination("sqlite:///mlflow.db")
    destination.after_fork()
    destination.close()
    assert destination._destination._client is None


def test_fork_does_not_open_store():
    destination = new_destination("sqlite:///mlflow.db")
    destination.after_fork()
    assert destination._destination._client is None
