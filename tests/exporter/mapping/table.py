"""The README's table of the mapping, from the code.

python -m tests.exporter.mapping.table
"""

from __future__ import annotations

import sys

from opentelemetry.exporter.mlflow._mapping import MAPPING, SPAN_TYPES

# By what reads them; the rest goes over as it is.
_SHAPES = {
    "chat_response": "OpenAI's choices, with `reasoning`",
    "chat_request": "OpenAI's messages, with `reasoning`",
    "documents": "`[{page_content, metadata, id}]`",
    "retrieval_query": "`{query, top_k}`",
    "_span_type": "see below",
    "tools": "OpenAI's tools",
}


def table() -> str:
    lines = [
        "| In MLflow | from | as | without it, MLflow |",
        "|---|---|---|---|",
    ]
    for row in MAPPING:
        source = ", ".join(f"`{name}`" for name in row.sources)
        shape = _SHAPES.get(row.read.__name__, "as it is")
        lines.append(f"| `{row.name}` | {source} | {shape} | {row.without} |")
    lines += ["", "| Operation | Type |", "|---|---|"]
    lines += [f"| `{operation}` | {type_} |" for operation, type_ in SPAN_TYPES.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
