"""How the wheel lies beside others in the namespaces it shares with them."""

from __future__ import annotations

import base64
import hashlib
from importlib import import_module
from importlib.metadata import distribution, distributions, entry_points
from typing import TYPE_CHECKING

import pytest

from tests.skipping import skip_unless_ci

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "opentelemetry-instrumentation-deepseek"
OURS = (
    "opentelemetry/instrumentation/deepseek/",
    "opentelemetry/exporter/mlflow/",
    "opentelemetry_instrumentation_deepseek-",
)


@pytest.fixture(scope="module")
def ours() -> Distribution:
    found = distribution(NAME)
    if "opentelemetry/exporter/mlflow/__init__.py" not in map(str, found.files or ()):
        reason = f"{NAME} is not installed from its wheel here"
        skip_unless_ci(reason)
    return found


@pytest.fixture(scope="module")
def neighbours() -> dict[str, Distribution]:
    found = {d.name: d for d in distributions() if d.name.startswith("opentelemetry-")}
    found.pop(NAME)
    # Without one in each of our two namespaces the tests below would say nothing.
    assert found.keys() >= {
        "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-instrumentation",
    }
    return found


def test_the_wheel_has_files_in_its_own_folders_only(ours):
    assert [str(f) for f in ours.files if not str(f).startswith(OURS)] == []


def test_no_file_belongs_to_two_distributions(ours, neighbours):
    mine = set(map(str, ours.files))
    shared = {
        name: mine & set(map(str, neighbour.files or ()))
        for name, neighbour in neighbours.items()
    }
    assert {name: files for name, files in shared.items() if files} == {}


def test_the_neighbours_files_are_what_they_were(ours, neighbours):
    """Their content still has the hash that their own RECORD gives it."""
    checked, changed = 0, []
    for neighbour in neighbours.values():
        for file in neighbour.files or ():
            if file.hash is None or file.suffix != ".py":
                continue
            digest = hashlib.new(file.hash.mode, file.read_binary()).digest()
            checked += 1
            if (
                base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
                != file.hash.value
            ):
                changed.append(str(file))
    assert changed == []
    assert checked > 100


@pytest.mark.parametrize(
    "module",
    [
        "opentelemetry.exporter.mlflow",
        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        "opentelemetry.instrumentation.deepseek",
        "opentelemetry.instrumentation.instrumentor",
        "opentelemetry.trace",
    ],
)
def test_all_of_the_namespace_imports(ours, module):
    assert import_module(module)


def test_the_wheel_says_that_it_is_typed_and_licensed(ours):
    files = {str(f) for f in ours.files}
    assert files >= {
        "opentelemetry/instrumentation/deepseek/py.typed",
        "opentelemetry/exporter/mlflow/py.typed",
    }
    assert any(f.endswith("licenses/LICENSE") for f in files)


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("opentelemetry_instrumentor", "deepseek"),
        ("opentelemetry_traces_exporter", "mlflow"),
        ("opentelemetry_environment_variables", "deepseek"),
        ("opentelemetry_environment_variables", "mlflow"),
    ],
)
def test_an_entry_point_loads(ours, group, name):
    (point,) = [p for p in entry_points(group=group, name=name) if p.dist.name == NAME]
    assert point.load()
