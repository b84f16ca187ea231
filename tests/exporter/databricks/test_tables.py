"""Tables of Unity Catalog that an experiment is linked to."""

from __future__ import annotations

import json

from .agent import agent
from .received import INFO, OTLP, ROW, typed
from .sending import mapped, to


def test_the_row_of_linked_tables_goes_with_the_root_alone(databricks, spans):
    databricks.linked = "main.agents.ds"
    *children, root = mapped(agent(spans))
    place = to()
    place.send([*children, root])
    place.send([children[0]])
    place.close()
    assert [len(databricks.sent(path)) for path in (OTLP, INFO)] == [2, 1]


def test_a_link_of_two_parts_is_not_followed(databricks, spans):
    """As MLflow's client has it, unless the application says so."""
    databricks.linked = "main.agents"
    place = to()
    place.send(mapped([spans.made()]))
    place.close()
    assert len(databricks.sent(ROW)) == 1


def test_odd_values_reach_tables(databricks, spans):
    databricks.linked = "main.agents.ds"
    odd = {"big": 2**70, "none": None, "list": [1, "a", None], "nan": float("nan")}
    span = spans.made("s", {"mlflow.spanInputs": json.dumps(odd), "text": "{oops"})
    place = to()
    place.send(mapped([span]))
    place.close()
    (sent,) = typed(databricks).values()
    given = sent["attributes"]["mlflow.spanInputs"]["kvlist_value"]["values"]
    assert {one["key"]: one["value"] for one in given} == {
        "big": {"string_value": str(2**70)},
        "none": {},
        "list": {
            "array_value": {"values": [{"int_value": "1"}, {"string_value": "a"}, {}]}
        },
        "nan": {"double_value": "NaN"},
    }
    assert sent["attributes"]["text"] == {"string_value": "{oops"}
