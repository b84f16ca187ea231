"""Each configuration file is valid with the command in its first comment."""

from __future__ import annotations

import re
import subprocess

import pytest

from examples.otelcol import CONFIG_FOLDER

# These files are not configurations of a collector.
OTHER_FILES = {"builder-config.yaml", "docker-compose.yaml", "kustomization.yaml"}
FILES = sorted(
    file
    for folder in (CONFIG_FOLDER, CONFIG_FOLDER / "gateway")
    for file in folder.glob("*.yaml")
    if file.name not in OTHER_FILES
)


@pytest.mark.parametrize(
    "file", FILES, ids=lambda file: str(file.relative_to(CONFIG_FOLDER))
)
def test_configuration_is_valid_with_documented_command(otelcol, file):
    (command,) = re.findall(r"^#   \$OTELCOL (.+)$", file.read_text(), re.MULTILINE)
    assert f"--config {file.name}" in command
    process = subprocess.run(
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
    assert process.returncode == 0, process.stdout + process.stderr


def test_built_collector_has_no_unused_component(otelcol):
    """The configurations are valid with it, so it has all components that they use."""
    manifest = (CONFIG_FOLDER / "builder-config.yaml").read_text()
    built_components = {
        re.sub(r"(receiver|processor|exporter|connector|extension)$", "", name)
        for name in re.findall(
            r"/(?:storage/)?(\w+(?:receiver|processor|exporter|connector|extension)"
            r"|filestorage) v",
            manifest,
        )
    }
    used_components = {
        re.sub(r"/.*|_", "", name)
        for file in FILES
        for name in re.findall(r"^  (\w[\w/]*):$", file.read_text(), re.MULTILINE)
    }
    aliases = {"otlpgrpc": "otlp"}
    assert built_components <= {aliases.get(name, name) for name in used_components}
