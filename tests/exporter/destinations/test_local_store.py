"""A store of this process, before it is opened."""

from __future__ import annotations

import sys
from importlib import metadata

import pytest

from .sending import to


@pytest.mark.parametrize("missing", ["mlflow-skinny", "sqlalchemy"])
def test_a_local_store_names_the_package_it_takes(monkeypatch, missing):
    if missing == "mlflow-skinny":

        def version(name):
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", version)
    else:
        monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(ImportError, match="pip install mlflow"):
        to("sqlite:///mlflow.db")


def test_a_store_that_was_never_opened_is_left_so():
    store = to("sqlite:///mlflow.db")
    store.after_fork()
    store.close()
    assert store._inner._client is None


def test_a_store_not_yet_opened_goes_through_a_fork_unopened():
    store = to("sqlite:///mlflow.db")
    store.after_fork()
    assert store._inner._client is None
