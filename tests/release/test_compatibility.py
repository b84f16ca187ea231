"""docs/compatibility.md says what pyproject.toml, tox.ini and the workflows say."""

from __future__ import annotations

import re
import sys
from configparser import ConfigParser
from itertools import product
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
README = (ROOT / "README.md").read_text("utf-8")


def requirements(extra=None):
    extras = PROJECT["optional-dependencies"]
    lines = PROJECT["dependencies"] if extra is None else extras[extra]
    return {r.name: r.specifier for r in map(Requirement, lines)}


def bound(specifier, *operators):
    (version,) = {s.version for s in specifier if s.operator in operators}
    return version


def expand(name):
    """`mlflow{31,32}` -> `mlflow31`, `mlflow32`"""
    parts = [part.split(",") for part in re.split(r"[{}]", name)]
    return ["".join(choice) for choice in product(*parts)]


@pytest.fixture(scope="module")
def tox():
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", "utf-8")
    return parser


@pytest.fixture(scope="module")
def environments(tox):
    """The settings of each environment of tox.ini."""
    return {
        name: tox[section]
        for section in tox.sections()
        if section.startswith("testenv:")
        for name in expand(section.removeprefix("testenv:"))
    }


@pytest.fixture(scope="module")
def python_versions():
    pattern = r"Programming Language :: Python :: (3\.\d+)"
    return re.findall(pattern, "\n".join(PROJECT["classifiers"]))


@pytest.fixture(scope="module")
def table():
    """The columns `supported` and `tested by` of each row of the first table."""
    text = (ROOT / "docs/compatibility.md").read_text("utf-8")
    section = text.partition("\n## Versions\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return {what: (supported, tests) for what, supported, tests in rows[1:]}


def test_environments_of_the_table_are_in_tox_ini(table, environments):
    names = {n for _, tests in table.values() for n in re.findall(r"`(.+?)`", tests)}
    assert len(names) > 15
    assert names - environments.keys() == set()


def test_versions_of_python(table, environments, python_versions):
    lowest, newest = python_versions[0], python_versions[-1]
    assert table["Python"] == (
        f"{lowest} to {newest}",
        ", ".join(f"`{version}`" for version in python_versions),
    )
    assert PROJECT["requires-python"] == f">={lowest}"
    in_tox = [name for name in environments if re.fullmatch(r"3\.\d+", name)]
    assert in_tox == python_versions


@pytest.mark.parametrize(
    ("row", "major"),
    [
        ("`opentelemetry-api`, `opentelemetry-sdk`", 1),
        ("`opentelemetry-instrumentation`, `opentelemetry-distro`", 0),
        ("`opentelemetry-util-genai`", 1),
    ],
)
def test_versions_of_opentelemetry(table, row, major):
    everything = requirements() | requirements("mlflow")
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    distro = next(
        Requirement(line)
        for line in groups["dependency-groups"]["quickstart"]
        if line.startswith("opentelemetry-distro")
    )
    everything[distro.name] = distro.specifier
    for name in re.findall(r"`(.+?)`", row):
        lowest = bound(everything[name], ">=", "~=")
        assert table[row][0] == f"{lowest} and later versions {major}"
        assert f"{major}.999" in everything[name]
        assert f"{major + 1}.0" not in everything[name]


@pytest.mark.parametrize("name", ["httpx", "httpx2", "requests", "aiohttp"])
def test_lowest_versions_of_the_http_clients(table, environments, name):
    lowest = re.match(r"[\d.]+", table[f"`{name}`"][0])[0].removesuffix(".")
    lowest = lowest if "." in lowest else f"{lowest}.0"
    assert f"\n{name}=={lowest}.*" in environments["http-clients0"]["deps"]


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_versions_of_the_sdks(table, environments, name):
    specifier = requirements(name)[name]
    lowest, limit = bound(specifier, ">="), int(bound(specifier, "<"))
    assert table[f"`{name}`"][0] == f"{lowest} to {limit - 1}.x"
    assert f"`{name}` SDK" in README
    assert f"{lowest} to {limit - 1}.x" in README
    # The lowest version, and the last of each major version before the newest.
    oldest = environments[f"{name}{lowest.partition('.')[0]}"]["deps"]
    assert f"{name}=={lowest}.*" in oldest
    assert f"{name}<{limit - 1}" in oldest


@pytest.mark.parametrize("row", ["MLflow's server", "MLflow's client"])
def test_versions_of_mlflow(table, environments, row):
    supported, tests = next(v for k, v in table.items() if k.startswith(row))
    lowest, newest = (
        tuple(map(int, version.split(".")))
        for version in re.findall(r"\d+\.\d+", supported)[:2]
    )
    source = "src/opentelemetry/exporter/mlflow/_destinations/_server_version.py"
    (minimum,) = re.findall(
        'MINIMUM_VERSION: Final = "(.+)"', (ROOT / source).read_text("utf-8")
    )
    assert minimum == f"{lowest[0]}.{lowest[1]}"
    minors = [f"3{minor}" for minor in range(lowest[1], newest[1] + 1)]
    in_tox = [n for n in environments if re.fullmatch(r"mlflow\d+", n)]
    assert in_tox == [f"mlflow{minor}" for minor in minors]
    assert tests.startswith(f"`{in_tox[0]}` to `{in_tox[-1]}`")
    matrix = environments["mlflow-matrix"]["commands"]
    assert re.findall(r"mlflow\d+", matrix) == in_tox


@pytest.mark.parametrize("name", ["litellm", "DSPy"])
def test_versions_of_other_clients(table, name):
    version = table[name][0].removeprefix("the newest; tested with ")
    assert f"{name} {version}" in README


def test_version_of_the_collector(table):
    file = ROOT / "collector/builder-config.yaml"
    version = yaml.safe_load(file.read_text("utf-8"))["dist"]["version"]
    supported = table["OpenTelemetry Collector"][0]
    assert f"{supported.split()[0]}.0" == version


def test_version_of_the_databricks_sdk(table):
    lowest = bound(requirements("databricks")["databricks-sdk"], ">=")
    assert f"`databricks-sdk` {lowest} and later" in table["Databricks"][0]
