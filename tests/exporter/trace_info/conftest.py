from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator


@pytest.fixture
def translator():
    return BatchTranslator(promote_remote_root=True)
