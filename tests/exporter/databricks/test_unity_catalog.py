"""Unity Catalog tables that an experiment is linked to."""

from __future__ import annotations

import json

from .agent_trace import agent_trace
from .destination import new_destination, translate
from .workspace_contents import OTLP, TRACE_INFO_V3, TRACE_INFO_V4, table_spans_by_id


def test_trace_info_is_sent_with_root(databricks, spans):
    databricks.table_prefix = "main.agents.ds"
    *children, root = translate(agent_trace(spans))
    destination = new_destination()
    destination.send([*children, root])
    destination.send([children[0]])
    destination.close()
    assert len(databricks.requests_to(OTLP)) == 2
    assert len(databricks.requests_to(TRACE_INFO_V4)) == 1


def test_link_with_two_parts_is_ignored(databricks, spans):
    """MLflow's client ignores it, too, unless the application selects it."""
    databricks.table_prefix = "main.agents"
    destination = new_destination()
    destination.send(translate([spans.make()]))
    destination.close()
    assert len(databricks.requests_to(TRACE_INFO_V3)) == 1


def test_unusual_values_reach_tables(databricks, spans):
    databricks.table_prefix = "main.agents.ds"
    inputs = {"big": 2**70, "none": None, "list": [1, "a", None], "nan": float("nan")}
    span = spans.make("s", {"mlflow.spanInputs": json.dumps(inputs), "text": "{oops"})
    destination = new_destination()
    destination.send(translate([span]))
    destination.close()
    (stored_span,) = table_spans_by_id(databricks).values()
    items = stored_span["attributes"]["mlflow.spanInputs"]["kvlist_value"]["values"]
    assert {item["key"]: item["value"] for item in items} == {
        "big": {"string_value": str(2**70)},
        "none": {},
        "list": {
            "array_value": {"values": [{"int_value": "1"}, {"string_value": "a"}, {}]}
        },
        "nan": {"double_value": "NaN"},
    }
    assert stored_span["attributes"]["text"] == {"string_value": "{oops"}
