"""What a retrieval looked for and found, as MLflow's retriever spans have it.

https://mlflow.org/docs/latest/genai/concepts/span/#retriever-spans
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._mapping._chat import mappings, written

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._mapping._chat import Json

# The conventions name `id` and `score` alone; who adds the text calls it one of these.
_CONTENTS = ("page_content", "content", "text")


def retrieved(found: Any) -> list[Json]:
    """`gen_ai.retrieval.documents`, parsed, as MLflow's documents.

    Raises UnknownShapeError.
    """
    return [_document(document) for document in mappings(found)]


def _document(found: Json) -> Json:
    """MLflow's page shows a list of documents only if each one has `page_content`."""
    content = next((name for name in _CONTENTS if name in found), None)
    rest = {
        key: value
        for key, value in found.items()
        if key not in (content, "metadata") and value is not None
    }
    metadata = found.get("metadata")
    if isinstance(metadata, Mapping):
        rest = {**cast("Json", metadata), **rest}
    elif metadata is not None:
        rest["metadata"] = metadata
    document: Json = {
        "page_content": written(found.get(content)) if content else "",
        "metadata": rest,
    }
    if isinstance(found.get("id"), str):
        document["id"] = found["id"]
    return document
