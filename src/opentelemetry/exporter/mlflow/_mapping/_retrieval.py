"""Documents of a retrieval, in the shape of MLflow's retriever spans.

https://mlflow.org/docs/latest/genai/concepts/span/#retriever-spans
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._mapping._chat import as_text, mappings

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._mapping._chat import Json

# The conventions define only `id` and `score`. Libraries add the text by these names.
_CONTENT_KEYS = ("page_content", "content", "text")


def retrieved_documents(documents: Any) -> list[Json]:
    """`gen_ai.retrieval.documents`, parsed, as MLflow's documents.

    Raises UnknownShapeError.
    """
    return [_document(document) for document in mappings(documents)]


def _document(source: Json) -> Json:
    """MLflow's page shows a list of documents only if each one has `page_content`."""
    content = next((name for name in _CONTENT_KEYS if name in source), None)
    rest = {
        key: value
        for key, value in source.items()
        if key not in (content, "metadata") and value is not None
    }
    metadata = source.get("metadata")
    if isinstance(metadata, Mapping):
        rest = {**cast("Json", metadata), **rest}
    elif metadata is not None:
        rest["metadata"] = metadata
    document: Json = {
        "page_content": as_text(source.get(content)) if content else "",
        "metadata": rest,
    }
    if isinstance(source.get("id"), str):
        document["id"] = source["id"]
    return document
