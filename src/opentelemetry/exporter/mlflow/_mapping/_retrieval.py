"""Documents of a retrieval, in the shape of MLflow's retriever spans.

https://mlflow.org/docs/latest/genai/concepts/span/#retriever-spans
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._mapping._chat import as_objects, as_text

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._mapping._chat import Json

# The conventions define only `id` and `score`. Libraries add the text with these keys.
_CONTENT_KEYS = ("page_content", "content", "text")


def retrieved_documents(documents: Any) -> list[Json]:
    """Convert parsed `gen_ai.retrieval.documents` to MLflow's documents.

    Raises UnknownShapeError.
    """
    return [_document(document) for document in as_objects(documents)]


def _document(source: Json) -> Json:
    """MLflow's page shows a list of documents only if each one has `page_content`."""
    content_key = next((key for key in _CONTENT_KEYS if key in source), None)
    metadata = {
        key: value
        for key, value in source.items()
        if key not in (content_key, "metadata") and value is not None
    }
    source_metadata = source.get("metadata")
    if isinstance(source_metadata, Mapping):
        metadata = {**cast("Json", source_metadata), **metadata}
    elif source_metadata is not None:
        metadata["metadata"] = source_metadata
    document: Json = {
        "page_content": as_text(source.get(content_key)) if content_key else "",
        "metadata": metadata,
    }
    if isinstance(source.get("id"), str):
        document["id"] = source["id"]
    return document
