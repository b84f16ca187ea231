"""Exports make no spans, where HTTP libraries are instrumented."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.skipping import skip_unless_ci

from .feedback import INSTRUMENTORS
from .http_instrumentations import HTTP_INSTRUMENTATIONS
from .test_scenarios import assert_passes

pytestmark = pytest.mark.e2e


def test_exports_make_no_spans_and_few_log_records(mlflow):
    missing = [module for module, _ in INSTRUMENTORS if not find_spec(module)]
    if missing:
        skip_unless_ci(f"tox -e http-instrumentations installs {', '.join(missing)}")
    assert_passes(HTTP_INSTRUMENTATIONS, mlflow)
