"""docker-compose.yaml restricts its services and requires the settings of the user."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml

from examples.otelcol import CONFIG_FOLDER
from examples.quickstart import mlflow_server
from tests.skipping import skip_unless_ci

# The Go module of the Compose specification, which includes the schema.
SPECIFICATION_MODULE = "github.com/compose-spec/compose-go/v2@v2.16.2"
COMPOSE_FILE = CONFIG_FOLDER / "docker-compose.yaml"
SECURE_FILE = CONFIG_FOLDER / "compose" / "secure.yaml"
TEXTS = {file: file.read_text() for file in (COMPOSE_FILE, SECURE_FILE)}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")

MODELS = {file: yaml.safe_load(text) for file, text in TEXTS.items()}
SERVICES = MODELS[COMPOSE_FILE]["services"]
each_service = pytest.mark.parametrize("name", SERVICES)


def service_environment(name, **variables):
    """Returns the environment of a service if Compose runs with these variables."""

    def value(match):
        variable, operator, default = match.groups()
        if operator == "?":
            return variables[variable]
        return variables.get(variable, default)

    assignments = SERVICES[name].get("environment", [])
    return dict(
        VARIABLE.sub(value, assignment).split("=", 1) for assignment in assignments
    )


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_file_is_valid_compose(file):
    if not shutil.which("go"):
        skip_unless_ci("Go is not installed; it downloads the schema of Compose files")
    process = subprocess.run(
        ["go", "mod", "download", "-json", SPECIFICATION_MODULE],
        capture_output=True,
        check=True,
    )
    folder = json.loads(process.stdout)["Dir"]
    with open(f"{folder}/schema/compose-spec.json") as schema:  # noqa: PTH123
        jsonschema.validate(MODELS[file], json.load(schema))


@each_service
def test_ports_are_published_on_loopback_only(name):
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)


@each_service
def test_service_has_least_privileges(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"cap_add", "devices", "pid", "privileged"}
    user, _, _ = service["user"].partition(":")
    assert int(user) > 0


@each_service
def test_image_is_pinned_to_a_version(name):
    service = SERVICES[name]
    if "build" in service:
        build = CONFIG_FOLDER / service["build"]["context"]
        lines = (build / service["build"]["dockerfile"]).read_text()
        images = re.findall(r"^FROM (\S+)", lines, re.MULTILINE)
    else:
        images = [service["image"]]
    assert images
    for image in images:
        assert re.search(r":v?\d+\.\d+[\w.-]*$", image)


def test_collector_image_has_the_tested_version():
    manifest = yaml.safe_load((CONFIG_FOLDER / "builder-config.yaml").read_text())
    assert (
        f"contrib:{manifest['dist']['version']}\n"
        in (CONFIG_FOLDER / "compose" / "Dockerfile.otelcol").read_text()
    )


@each_service
def test_every_service_but_the_collector_has_a_health_check(name):
    # The collector image has no shell to run a health check.
    assert ("healthcheck" in SERVICES[name]) == (name != "otelcol")


def test_mounted_files_exist_and_are_read_only():
    volumes = [
        volume.split(":")
        for model in MODELS.values()
        for service in model["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith("$")
    ]
    named_volumes = {source for source, *_ in volumes if not source.startswith(".")}
    assert named_volumes == set(MODELS[COMPOSE_FILE]["volumes"])
    for source, *_, mode in (v for v in volumes if v[0].startswith(".")):
        assert (CONFIG_FOLDER / source).exists()
        assert mode == "ro"


def test_no_password_has_a_default():
    references = [
        reference for text in TEXTS.values() for reference in VARIABLE.findall(text)
    ]
    operators = {name: operator for name, operator, _ in references if operator}
    assert {name for name, operator in operators.items() if operator == "?"} == {
        *("MLFLOW_DB_PASSWORD", "GRAFANA_PASSWORD"),
        *("OTELCOL_TLS", "OTELCOL_TOKENS", "OTELCOL_ADDRESS"),
    }
    example = (CONFIG_FOLDER / ".env.example").read_text()
    assert set(re.findall(r"^#?([A-Z]\w+)=", example, re.MULTILINE)) == set(operators)
    assert re.findall(r"^([A-Z]\w+)=(.*)$", example, re.MULTILINE) == [
        ("MLFLOW_DB_PASSWORD", ""),
        ("GRAFANA_PASSWORD", ""),
    ]
    password = re.compile(r"PASSWORD(?!_)\w*=(.*)")
    for text in TEXTS.values():
        for value in password.findall(text):
            assert value.startswith("${")


def test_secure_file_changes_only_the_collector():
    ((name, service),) = MODELS[SECURE_FILE]["services"].items()
    assert name == "otelcol"
    assert service["command"] == [
        *SERVICES["otelcol"]["command"],
        "--config=/etc/otelcol/secure.yaml",
    ]
    assert [VARIABLE.sub("127.0.0.1", port) for port in service["ports"]] == [
        port for port in SERVICES["otelcol"]["ports"] if ":43" in port
    ]


def test_services_refer_to_existing_services():
    hosts = {
        re.match(r"http://(\w+):", value)[1]
        for service in SERVICES
        for value in service_environment(
            service, MLFLOW_DB_PASSWORD="-", GRAFANA_PASSWORD="-"
        ).values()
        if value.startswith("http://")
    }
    targets = yaml.safe_load((CONFIG_FOLDER / "compose" / "targets.yaml").read_text())
    hosts |= {
        target.partition(":")[0] for group in targets for target in group["targets"]
    }
    assert hosts == {"jaeger", "mlflow", "otelcol", "prometheus"}
    for host in hosts | {"grafana"}:
        assert "telemetry" in SERVICES[host]["networks"]
    # MLflow accepts the host name that the collector uses.
    tracking_uri = service_environment("otelcol")["MLFLOW_TRACKING_URI"]
    allowed_hosts = option_value(SERVICES["mlflow"]["command"], "--allowed-hosts")
    assert tracking_uri.removeprefix("http://") in allowed_hosts.split(",")


def option_value(command, name):
    option = next(word for word in command if word.startswith(f"{name}="))
    return option.split("=", 1)[1]


def test_mlflow_does_not_access_the_internet():
    environment = service_environment("mlflow", MLFLOW_DB_PASSWORD="-")
    assert mlflow_server.SERVER_ENVIRONMENT.items() <= environment.items()


def test_grafana_is_provisioned_with_dashboard_and_prometheus():
    mounted = {
        volume.split(":")[1]: CONFIG_FOLDER / volume.split(":")[0]
        for volume in SERVICES["grafana"]["volumes"]
    }
    provisioning = mounted["/etc/grafana/provisioning"]
    (provider,) = yaml.safe_load(
        (provisioning / "dashboards" / "deepseek.yaml").read_text()
    )["providers"]
    assert f"{provider['options']['path']}/dashboard.json" in mounted
    (datasource,) = yaml.safe_load(
        (provisioning / "datasources" / "prometheus.yaml").read_text()
    )["datasources"]
    dashboard = json.loads(mounted["/etc/dashboards/dashboard.json"].read_text())
    variable = dashboard["templating"]["list"][0]
    assert variable["name"] == "datasource"
    assert variable["current"]["value"] == datasource["uid"]
    assert datasource["url"] == "${PROMETHEUS_URL}"
