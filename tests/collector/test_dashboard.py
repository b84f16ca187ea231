"""dashboard.json is a valid Grafana dashboard."""

from __future__ import annotations

import json
import sys

import pytest

from examples.otelcol import CONFIG_FOLDER

DASHBOARD = json.loads((CONFIG_FOLDER / "grafana" / "dashboard.json").read_text())


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="grafana-foundation-sdk requires Python 3.11"
)
def test_every_field_is_in_grafanas_schema():
    """A round trip through Grafana's schema drops unknown fields."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    parsed = json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))
    assert list(differences(DASHBOARD, parsed)) == []
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for grid in [panel["gridPos"]]
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def differences(source, parsed, path="dashboard"):
    """Yields the paths in `source` that are absent or different in `parsed`."""
    if isinstance(source, dict) and isinstance(parsed, dict):
        for key, value in source.items():
            if key in parsed:
                yield from differences(value, parsed[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(source, list) and isinstance(parsed, list):
        for index, (item, parsed_item) in enumerate(zip(source, parsed, strict=True)):
            yield from differences(item, parsed_item, f"{path}[{index}]")
    elif source != parsed:
        yield path
