"""docker-compose.yaml: what it lets its services do, and what it leaves to the user."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml

from examples.otelcol import CONFIGURATIONS
from examples.quickstart import mlflow_server
from tests.missing import missing

# The specification's own module, of which only the schema is read.
SPECIFICATION = "github.com/compose-spec/compose-go/v2@v2.16.2"
FILE = CONFIGURATIONS / "docker-compose.yaml"
SECURE = CONFIGURATIONS / "compose" / "secure.yaml"
TEXT = {file: file.read_text() for file in (FILE, SECURE)}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")

MODEL = {file: yaml.safe_load(text) for file, text in TEXT.items()}
SERVICES = MODEL[FILE]["services"]
each_service = pytest.mark.parametrize("name", SERVICES)


def environment(name, **given):
    """Of a service, with the variables that it takes from where Compose runs."""

    def value(match):
        variable, kind, default = match.groups()
        return given[variable] if kind == "?" else given.get(variable, default)

    said = SERVICES[name].get("environment", [])
    return dict(VARIABLE.sub(value, one).split("=", 1) for one in said)


@pytest.mark.parametrize("file", TEXT, ids=lambda file: file.name)
def test_the_file_is_as_compose_specifies(file):
    if not shutil.which("go"):
        reason = "no Go, which fetches the schema of Compose's files"
        missing(reason)
    done = subprocess.run(
        ["go", "mod", "download", "-json", SPECIFICATION],
        capture_output=True,
        check=True,
    )
    folder = json.loads(done.stdout)["Dir"]
    with open(f"{folder}/schema/compose-spec.json") as schema:  # noqa: PTH123
        jsonschema.validate(MODEL[file], json.load(schema))


@each_service
def test_no_other_machine_reaches_a_port(name):
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)


@each_service
def test_a_service_can_do_little(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"cap_add", "devices", "pid", "privileged"}
    user, _, _ = service["user"].partition(":")
    assert int(user) > 0


@each_service
def test_every_image_is_pinned(name):
    service = SERVICES[name]
    if "build" in service:
        build = CONFIGURATIONS / service["build"]["context"]
        lines = (build / service["build"]["dockerfile"]).read_text()
        images = re.findall(r"^FROM (\S+)", lines, re.MULTILINE)
    else:
        images = [service["image"]]
    assert images
    for image in images:
        assert re.search(r":v?\d+\.\d+[\w.-]*$", image)


def test_the_images_are_of_the_versions_that_are_tested():
    built = yaml.safe_load((CONFIGURATIONS / "builder-config.yaml").read_text())
    assert (
        f"contrib:{built['dist']['version']}\n"
        in (CONFIGURATIONS / "compose" / "Dockerfile.otelcol").read_text()
    )


@each_service
def test_every_service_says_how_it_is(name):
    # The collector's image has nothing to ask with.
    assert ("healthcheck" in SERVICES[name]) == (name != "otelcol")


def test_what_is_mounted_is_there_and_stays_as_it_is():
    volumes = [
        volume.split(":")
        for model in MODEL.values()
        for service in model["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith("$")
    ]
    named = {source for source, *_ in volumes if not source.startswith(".")}
    assert named == set(MODEL[FILE]["volumes"])
    for source, *_, mode in (v for v in volumes if v[0].startswith(".")):
        assert (CONFIGURATIONS / source).exists()
        assert mode == "ro"


def test_no_password_has_a_default():
    found = [one for text in TEXT.values() for one in VARIABLE.findall(text)]
    taken = {name: kind for name, kind, _ in found if kind}
    assert {name for name, kind in taken.items() if kind == "?"} == {
        *("MLFLOW_DB_PASSWORD", "GRAFANA_PASSWORD"),
        *("OTELCOL_TLS", "OTELCOL_TOKENS", "OTELCOL_ADDRESS"),
    }
    example = (CONFIGURATIONS / ".env.example").read_text()
    assert set(re.findall(r"^#?([A-Z]\w+)=", example, re.MULTILINE)) == set(taken)
    assert re.findall(r"^([A-Z]\w+)=(.*)$", example, re.MULTILINE) == [
        ("MLFLOW_DB_PASSWORD", ""),
        ("GRAFANA_PASSWORD", ""),
    ]
    secret = re.compile(r"PASSWORD(?!_)\w*=(.*)")
    for text in TEXT.values():
        for value in secret.findall(text):
            assert value.startswith("${")


def test_secure_adds_to_the_collector_alone():
    (only,) = MODEL[SECURE]["services"].items()
    name, service = only
    assert name == "otelcol"
    assert service["command"] == [
        *SERVICES["otelcol"]["command"],
        "--config=/etc/otelcol/secure.yaml",
    ]
    assert [VARIABLE.sub("127.0.0.1", port) for port in service["ports"]] == [
        port for port in SERVICES["otelcol"]["ports"] if ":43" in port
    ]


def test_services_name_each_other_as_they_are():
    collector = environment("otelcol")
    named = {
        re.match(r"http://(\w+):", value)[1]
        for service in SERVICES
        for value in environment(
            service, MLFLOW_DB_PASSWORD="-", GRAFANA_PASSWORD="-"
        ).values()
        if value.startswith("http://")
    }
    targets = yaml.safe_load((CONFIGURATIONS / "compose" / "targets.yaml").read_text())
    named |= {one.partition(":")[0] for group in targets for one in group["targets"]}
    assert named == {"jaeger", "mlflow", "otelcol", "prometheus"}
    for other in named | {"grafana"}:
        assert "telemetry" in SERVICES[other]["networks"]
    # As the collector asks for it.
    asked = collector["MLFLOW_TRACKING_URI"].removeprefix("http://")
    assert asked in option(SERVICES["mlflow"]["command"], "--allowed-hosts").split(",")


def option(command, name):
    return next(one for one in command if one.startswith(f"{name}=")).split("=", 1)[1]


def test_mlflow_waits_for_nothing_on_the_internet():
    said = environment("mlflow", MLFLOW_DB_PASSWORD="-")
    assert mlflow_server.SETTINGS.items() <= said.items()


def test_grafana_finds_its_dashboard_and_prometheus():
    mounted = {
        volume.split(":")[1]: CONFIGURATIONS / volume.split(":")[0]
        for volume in SERVICES["grafana"]["volumes"]
    }
    provisioning = mounted["/etc/grafana/provisioning"]
    (boards,) = yaml.safe_load(
        (provisioning / "dashboards" / "deepseek.yaml").read_text()
    )["providers"]
    assert f"{boards['options']['path']}/dashboard.json" in mounted
    (source,) = yaml.safe_load(
        (provisioning / "datasources" / "prometheus.yaml").read_text()
    )["datasources"]
    dashboard = json.loads(mounted["/etc/dashboards/dashboard.json"].read_text())
    chosen = dashboard["templating"]["list"][0]
    assert (chosen["name"], chosen["current"]["value"]) == ("datasource", source["uid"])
    assert source["url"] == "${PROMETHEUS_URL}"
