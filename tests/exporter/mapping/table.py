"""Prints the mapping tables of docs/attributes.md, generated from the code.

python -m tests.exporter.mapping.table
"""

from __future__ import annotations

import sys

from opentelemetry.exporter.mlflow._mapping import MAPPING, SPAN_TYPES

# By the name of the reader. Values of other readers are not changed.
_VALUE_FORMATS = {
    "chat_response": "OpenAI's choices, with `reasoning`",
    "chat_request": "OpenAI's messages, with `reasoning`",
    "documents": "`[{page_content, metadata, id}]`",
    "retrieval_query": "`{query, top_k}`",
    "_span_type": "see the next table",
    "tools": "OpenAI's tools",
    "truncated": "the complete part of JSON that was cut",
}


def mapping_tables() -> str:
    lines = [
        "| MLflow attribute | Source | Value | Without this row, MLflow |",
        "|---|---|---|---|",
    ]
    for row in MAPPING:
        sources = ", ".join(f"`{name}`" for name in row.sources)
        value_format = _VALUE_FORMATS.get(row.read.__name__, "unchanged")
        lines.append(f"| `{row.name}` | {sources} | {value_format} | {row.without} |")
    lines += ["", "| `gen_ai.operation.name` | `mlflow.spanType` |", "|---|---|"]
    lines += [
        f"| `{operation}` | `{span_type}` |"
        for operation, span_type in SPAN_TYPES.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{mapping_tables()}\n")
