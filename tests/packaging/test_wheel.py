"""Tests the installed wheel and the namespaces it shares with other packages."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import import_module
from importlib.metadata import distribution, distributions, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.skipping import skip_unless_ci

if TYPE_CHECKING:
    from importlib.metadata import Distribution

ROOT = Path(__file__).parents[2]
NAME = "opentelemetry-instrumentation-deepseek"
PATH_PREFIXES = (
    "opentelemetry/instrumentation/deepseek/",
    "opentelemetry/instrumentation/exit_flush/",
    "opentelemetry/exporter/mlflow/",
    "opentelemetry_instrumentation_deepseek-",
)


@pytest.fixture(scope="module")
def wheel() -> Distribution:
    wheel = distribution(NAME)
    if "opentelemetry/exporter/mlflow/__init__.py" not in map(str, wheel.files or ()):
        reason = f"needs {NAME} installed from its wheel: run tox -e wheel"
        skip_unless_ci(reason)
    return wheel


@pytest.fixture(scope="module")
def other_packages() -> dict[str, Distribution]:
    packages = {
        d.name: d for d in distributions() if d.name.startswith("opentelemetry-")
    }
    packages.pop(NAME)
    # The tests below need a package in each of the two namespaces.
    assert packages.keys() >= {
        "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-instrumentation",
    }
    return packages


def test_wheel_has_files_only_in_its_own_folders(wheel):
    assert [str(f) for f in wheel.files if not str(f).startswith(PATH_PREFIXES)] == []


def test_no_file_belongs_to_two_packages(wheel, other_packages):
    wheel_files = set(map(str, wheel.files))
    shared = {
        name: wheel_files & set(map(str, package.files or ()))
        for name, package in other_packages.items()
    }
    assert {name: files for name, files in shared.items() if files} == {}


def test_files_of_other_packages_are_unchanged(wheel, other_packages):
    """The files have the hashes of their package's RECORD."""
    checked, changed = 0, []
    for package in other_packages.values():
        for file in package.files or ():
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
        "opentelemetry.instrumentation.exit_flush",
        "opentelemetry.instrumentation.instrumentor",
        "opentelemetry.trace",
    ],
)
def test_modules_of_shared_namespaces_can_be_imported(wheel, module):
    assert import_module(module)


def test_wheel_has_type_markers_and_license(wheel):
    files = {str(f) for f in wheel.files}
    assert files >= {
        "opentelemetry/instrumentation/deepseek/py.typed",
        "opentelemetry/instrumentation/exit_flush/py.typed",
        "opentelemetry/exporter/mlflow/py.typed",
    }
    assert any(f.endswith("licenses/LICENSE") for f in files)


def test_readme_of_the_package_index_has_only_absolute_links(wheel):
    text = wheel.metadata["Description"] or wheel.metadata.get_payload()
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 10
    assert [t for t in targets if not t.startswith(("https://", "#"))] == []


def test_links_of_the_package_index_lead_to_files_of_the_repository(wheel):
    text = wheel.metadata["Description"] or wheel.metadata.get_payload()
    urls = dict(url.split(", ") for url in wheel.metadata.get_all("Project-URL"))
    assert urls.keys() == {"Changelog", "Documentation", "Issues", "Repository"}
    repository = re.escape(urls["Repository"])
    links = re.findall(rf"\]\({repository}/blob/main/([^)#]+)[^)]*\)", text)
    (picture,) = re.findall(rf"!\[[^]]+\]\({repository}/raw/main/([^)]+)\)", text)
    assert {"docs/attributes.md", "LICENSE"} <= set(links)
    assert [path for path in (*links, picture) if not (ROOT / path).exists()] == []


def test_extras_are_for_users_only(wheel):
    extras = set(wheel.metadata.get_all("Provides-Extra"))
    assert extras == {"anthropic", "databricks", "mlflow", "openai"}


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("opentelemetry_instrumentor", "deepseek"),
        ("opentelemetry_traces_exporter", "mlflow"),
        ("opentelemetry_environment_variables", "deepseek"),
        ("opentelemetry_environment_variables", "mlflow"),
    ],
)
def test_entry_point_loads(wheel, group, name):
    (entry_point,) = [
        p for p in entry_points(group=group, name=name) if p.dist.name == NAME
    ]
    assert entry_point.load()
