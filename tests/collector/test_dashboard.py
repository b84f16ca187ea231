"""dashboard.json is one, as Grafana sees it."""

from __future__ import annotations

import json
import sys

import pytest

from examples.otelcol import CONFIGURATIONS

BOARD = json.loads((CONFIGURATIONS / "grafana" / "dashboard.json").read_text())


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="grafana-foundation-sdk is for 3.11 and newer"
)
def test_grafana_knows_every_field_of_the_dashboard():
    """Grafana's own schema of dashboards drops what it does not know."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(BOARD)))
    assert list(missing(BOARD, read)) == []
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken = [
        (x, y)
        for panel in BOARD["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def missing(ours, theirs, path="dashboard"):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key in theirs:
                yield from missing(value, theirs[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(ours, list) and isinstance(theirs, list):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from missing(one, other, f"{path}[{number}]")
    elif ours != theirs:
        yield path
