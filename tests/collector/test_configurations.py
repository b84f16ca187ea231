"""Every file here says how it is run, and so it runs."""

from __future__ import annotations

import re
import subprocess

import pytest

from examples.otelcol import CONFIGURATIONS

# Read by other programs.
OTHERS = {"builder-config.yaml", "docker-compose.yaml"}
FILES = sorted(
    file
    for folder in (CONFIGURATIONS, CONFIGURATIONS / "gateway")
    for file in folder.glob("*.yaml")
    if file.name not in OTHERS
)


@pytest.mark.parametrize(
    "file", FILES, ids=lambda file: str(file.relative_to(CONFIGURATIONS))
)
def test_a_file_runs_as_it_says(otelcol, file):
    (command,) = re.findall(r"^#   otelcol (.+)$", file.read_text(), re.MULTILINE)
    assert f"--config {file.name}" in command
    done = subprocess.run(
        [otelcol, "validate", *command.split()],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
        env={
            "KAFKA_PASSWORD": "password",
            "KAFKA_USERNAME": "user",
            "OTELCOL_TLS": "tls",
            "OTELCOL_TOKENS": "tokens",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_collector_has_what_the_files_use_and_no_more(otelcol):
    """Where it is the one of builder-config.yaml."""
    manifest = (CONFIGURATIONS / "builder-config.yaml").read_text()
    built = {
        re.sub(r"(receiver|processor|exporter|connector|extension)$", "", name)
        for name in re.findall(
            r"/(?:storage/)?(\w+(?:receiver|processor|exporter|connector|extension)"
            r"|filestorage) v",
            manifest,
        )
    }
    used = {
        re.sub(r"/.*|_", "", name)
        for file in FILES
        for name in re.findall(r"^  (\w[\w/]*):$", file.read_text(), re.MULTILINE)
    }
    aliases = {"otlpgrpc": "otlp"}
    assert built <= {aliases.get(name, name) for name in used}
