"""The traces of a Databricks experiment: the files are in a cloud storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._destinations._databricks._signed_url import (
    Credential,
    SignedUrl,
)
from opentelemetry.exporter.mlflow._destinations._databricks._workspace import (
    WorkspaceError,
)
from opentelemetry.exporter.mlflow._trace_info._previews import MAX_PREVIEW_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from opentelemetry.exporter.mlflow._destinations._databricks._workspace import (
        WorkspaceClient,
    )


class WorkspaceTraceStore:
    """Implements `TraceStore`."""

    max_preview_length = MAX_PREVIEW_LENGTH
    root_parent_id = None

    def __init__(self, workspace: WorkspaceClient, timeout: float) -> None:
        self._workspace = workspace
        self._timeout = timeout

    def read_trace_info(self, trace_id: str) -> Mapping[str, Any] | None:
        try:
            response = self._workspace.request(
                "GET", f"/api/3.0/mlflow/traces/{trace_id}"
            )
        except WorkspaceError as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        trace_info: Mapping[str, Any] = response["trace"]["trace_info"]
        return trace_info

    def start_trace(self, trace_info: Mapping[str, Any]) -> Mapping[str, Any]:
        self._workspace.request(
            "POST",
            "/api/3.0/mlflow/traces",
            body={"trace": {"trace_info": trace_info}},
        )
        return trace_info

    def write_trace_data(self, trace_info: Mapping[str, Any], content: bytes) -> None:
        self._signed_url(trace_info, "upload").upload(content)

    def read_trace_data(self, trace_info: Mapping[str, Any]) -> bytes | None:
        return self._signed_url(trace_info, "download").download()

    def _signed_url(
        self, trace_info: Mapping[str, Any], operation: Literal["upload", "download"]
    ) -> SignedUrl:
        path = f"/api/2.0/mlflow/traces/{trace_info['trace_id']}"
        response = self._workspace.request(
            "GET", f"{path}/credentials-for-data-{operation}"
        )
        return SignedUrl(Credential.from_response(response), self._timeout)
