"""A local store of the newest MLflow, written to as an older version requires.

The newest store accepts this, too. Local stores of older versions are tested in
tests/mlflow_versions.
"""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._destinations import _local_store
from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow._trace_info._trace_settings import METADATA_PREFIX

from .conftest import IGNORE_STORE_WARNING, Mlflow
from .test_server_versions import FACTS, facts, make_request_spans

pytestmark = [pytest.mark.e2e, IGNORE_STORE_WARNING]


@pytest.fixture
def use_version(monkeypatch):
    """A function that lets the exporter take MLflow for another version."""

    def use(version):
        monkeypatch.setattr(_local_store.metadata, "version", lambda _: version)

    return use


@pytest.mark.parametrize("version", ["3.4.0", "3.10.1", "3.17.2", "3.18.0", "dev"])
def test_trace_is_whole_in_a_local_store(store_uri, spans, use_version, version):
    use_version(version)
    mlflow = Mlflow(store_uri)
    call, root = make_request_spans(spans)
    # In two exports, as the batch processor may do.
    mlflow.export([call], [root])
    assert facts(mlflow, root) == FACTS


def test_late_span_is_added_to_the_file_of_a_local_store(store_uri, spans, use_version):
    use_version("3.4.0")
    mlflow = Mlflow(store_uri)
    call, root = make_request_spans(spans)
    mlflow.export([root], [call])
    names = {span.name for span in mlflow.read_trace(root).data.spans}
    assert names == {"POST /ask", "chat deepseek-v4-flash"}


def test_local_store_has_the_metadata_of_the_program(store_uri, spans):
    mlflow = Mlflow(store_uri)
    call, root = make_request_spans(spans)
    metadata = {METADATA_PREFIX + "mlflow.sourceRun": "run-1"}
    root = replace_span(root, attributes={**root.attributes, **metadata})
    mlflow.export([call, root])
    assert facts(mlflow, root) == FACTS
    info = mlflow.read_trace(root).info
    assert info.trace_metadata["mlflow.sourceRun"] == "run-1"
