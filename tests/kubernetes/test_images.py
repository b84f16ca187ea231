"""The images of the Dockerfiles send spans, as the Operator and as Docker run them."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from examples.otelcol import Collector
from examples.otelcol._process import free_ports
from examples.otlp_receiver import OtlpReceiver
from examples.simulator import Simulator
from opentelemetry.instrumentation.deepseek.version import __version__
from tests.collector.conftest import wait_until
from tests.e2e.conftest import ENVIRONMENT
from tests.skipping import skip_unless_ci

from . import dockerfile
from .manifests import FOLDER, ROOT, collectors, environment, named, pods, render

OPERATOR_IMAGE = FOLDER / "Dockerfile.autoinstrumentation"
APPLICATION_IMAGE = ROOT / "examples" / "docker" / "Dockerfile"
each_image = pytest.mark.parametrize(
    "path", [OPERATOR_IMAGE, APPLICATION_IMAGE], ids=lambda path: path.name
)
QUESTION = "Why is the sky blue?"


@each_image
def test_images_are_pinned_and_not_root(path):
    for image in dockerfile.images(path):
        assert re.search(r":\d+\.\d+\.\d+[\w.-]*$", image)
    user = [i.arguments for i in dockerfile.instructions(path) if i.name == "USER"]
    assert user == ["10001:10001"]
    (release,) = dockerfile.PACKAGE.findall(path.read_text())
    assert release[2] == __version__
    (shell,) = (
        i.arguments
        for i in dockerfile.instructions(path)
        if "pip install" in i.arguments
    )
    words = re.split(r"&&", shell)[0].replace('"', "").split()
    packages = [word for word in words[2:] if "-" not in word[:1] and "/" not in word]
    assert all("==" in package for package in packages)


def test_the_instrumentation_uses_the_image():
    instrumentation = named(
        render("examples/kubernetes/agent"), "Instrumentation", "deepseek"
    )
    image = instrumentation["spec"]["python"]["image"]
    assert f"-t {image} ." in OPERATOR_IMAGE.read_text()
    assert image.endswith(f":{__version__}")


@pytest.fixture(scope="module")
def uv():
    if not shutil.which("uv"):
        skip_unless_ci("uv is not installed")
    return "uv"


@pytest.fixture(scope="module")
def autoinstrumentation(uv, tmp_path_factory):
    """The folder that the image holds, for the Python of the image."""
    root = tmp_path_factory.mktemp("image")
    (version,) = filter(
        None, map(dockerfile.PYTHON_IMAGE.fullmatch, dockerfile.images(OPERATOR_IMAGE))
    )
    dockerfile.run_pip_commands(OPERATOR_IMAGE, f"--python-version {version[1]}", root)
    return root / "autoinstrumentation"


@pytest.fixture(scope="module")
def application_python(uv, tmp_path_factory):
    """The Python of an application that has the openai SDK and no OpenTelemetry."""
    folder = tmp_path_factory.mktemp("application") / "venv"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "-q", "-p", python, "openai"], check=True)
    return python


@pytest.mark.e2e
def test_operator_adds_the_image_to_an_application(
    otelcol, autoinstrumentation, application_python, tmp_path
):
    """The application of the example, the Instrumentation and the agent of its node."""
    objects = render("examples/kubernetes/agent")
    ((_, agent),) = collectors("examples/kubernetes/agent")
    files = [Path(argument).name for argument in agent["args"]]
    with (
        OtlpReceiver() as mlflow,
        OtlpReceiver() as backend,
        Simulator() as deepseek,
        Collector(
            otelcol,
            tmp_path,
            *files,
            **{
                name: value
                for name, value in environment(objects, agent).items()
                if not name.endswith("_PORT")
            }
            | {
                "BACKEND_OTLP_ENDPOINT": backend.endpoint,
                "MLFLOW_TRACKING_URI": mlflow.endpoint,
                "OTELCOL_HOST": "127.0.0.1",
                "OTELCOL_STATE_DIR": str(tmp_path / "queue"),
            },
        ) as collector,
    ):
        instrumentation = named(objects, "Instrumentation", "deepseek")["spec"]
        addresses = {
            "otelcol-agent:4318": f"127.0.0.1:{collector.port('HTTP')}",
            "otelcol-agent:4319": f"127.0.0.1:{collector.port('MLFLOW')}",
        }
        # https://github.com/open-telemetry/opentelemetry-operator/blob/v0.158.0/internal/instrumentation/python.go
        variables = {
            "OTEL_PROPAGATORS": ",".join(instrumentation["propagators"]),
            "OTEL_SERVICE_NAME": "application",
            "PYTHONPATH": f"{autoinstrumentation}/opentelemetry/instrumentation"
            f"/auto_instrumentation:{autoinstrumentation}",
        }
        for entry in instrumentation["python"]["env"]:
            value = entry["value"]
            for address, local in addresses.items():
                value = value.replace(address, local)
            variables[entry["name"]] = value
        process = subprocess.run(
            [application_python, ROOT / "examples" / "hello.py"],
            env=ENVIRONMENT
            | variables
            | {
                "DEEPSEEK_API_KEY": "sk-kubernetes",
                "DEEPSEEK_BASE_URL": deepseek.base_url,
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    deepseek.base_url
                ).netloc,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert process.returncode == 0, process.stderr
        assert process.stderr == ""
        wait_until(lambda: mlflow.spans and backend.spans)
        ((in_mlflow,), (in_backend,)) = (mlflow.spans, backend.spans)
    assert in_mlflow.name == in_backend.name == "chat deepseek-flash"
    assert in_mlflow.span_id == in_backend.span_id
    assert in_mlflow.resource["service.name"] == "application"
    # Only MLflow has the content.
    assert QUESTION in str(in_mlflow.attributes)
    assert QUESTION not in str(in_backend.attributes)


@pytest.fixture
def first_process():
    """Runs a command as the first process of a namespace, as in a container."""
    unshare = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*unshare, "true"], check=False).returncode
    ):
        skip_unless_ci("this machine creates no namespaces of process ids")
    processes = []

    def start(command, **options):
        processes.append(subprocess.Popen([*unshare, *command], **options))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.e2e
def test_application_sends_its_spans_when_docker_stops_it(uv, first_process, tmp_path):
    subprocess.run(
        [uv, "venv", "-q", "--python", sys.executable, tmp_path / "venv"], check=True
    )
    dockerfile.run_pip_commands(
        APPLICATION_IMAGE, f"--python {tmp_path}/venv/bin/python", tmp_path
    )
    (port,) = free_ports(1)
    program, *arguments = dockerfile.command(APPLICATION_IMAGE)
    arguments = [
        {"8000": str(port), "0.0.0.0": "127.0.0.1"}.get(a, a) for a in arguments
    ]
    with OtlpReceiver() as mlflow, OtlpReceiver() as backend, Simulator() as deepseek:
        namespace = first_process(
            [tmp_path / "venv" / "bin" / program, *arguments],
            cwd=ROOT / "examples",
            env=ENVIRONMENT
            | {
                "DEEPSEEK_API_KEY": "sk-docker",
                "DEEPSEEK_BASE_URL": deepseek.base_url,
                "OTEL_BSP_SCHEDULE_DELAY": "60000",
                "OTEL_EXPORTER_MLFLOW_ENDPOINT": mlflow.endpoint,
                "OTEL_EXPORTER_OTLP_ENDPOINT": backend.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    deepseek.base_url
                ).netloc,
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_TRACES_EXPORTER": "otlp,mlflow",
                "PATH": f"{tmp_path}/venv/bin:{ENVIRONMENT['PATH']}",
            },
        )
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_up(url))
        query = urllib.parse.urlencode({"question": QUESTION})
        with urllib.request.urlopen(f"{url}/answer?{query}") as response:
            assert b"sunlight" in response.read()
        assert not backend.spans
        (first,) = psutil.Process(namespace.pid).children()
        start = time.monotonic()
        first.send_signal(signal.SIGTERM)
        namespace.wait(10)  # as `docker stop`
        assert time.monotonic() - start < 5
        names = {span.name for span in backend.spans}
        assert {"GET /answer", "chat deepseek-flash"} <= names
        assert {s.span_id for s in mlflow.spans} == {s.span_id for s in backend.spans}


def is_up(url):
    try:
        with urllib.request.urlopen(f"{url}/openapi.json"):
            return True
    except OSError:
        return False


def test_kubernetes_waits_longer_than_the_flush():
    for variant in ("agent", "sidecar"):
        objects = render(f"examples/kubernetes/{variant}")
        (pod,) = (pod for pod in pods(objects) if pod.name == "application")
        entries = named(objects, "Instrumentation", "deepseek")["spec"]["python"]["env"]
        values = {entry["name"]: entry["value"] for entry in entries}
        flush = int(values["OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT"])
        assert flush < pod.spec["terminationGracePeriodSeconds"]
