"""The MLflow server of the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .mlflow_backend import MlflowBackend

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowBackend]:
    with MlflowBackend(tmp_path_factory.mktemp("mlflow")) as mlflow:
        yield mlflow
