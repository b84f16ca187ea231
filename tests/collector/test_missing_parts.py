"""The collector's error names the file that is missing in the command."""

from __future__ import annotations

import subprocess

import pytest

from examples.otelcol import CONFIG_FOLDER


@pytest.mark.parametrize("name", ["agent.yaml", "gateway/writer-backend.yaml"])
def test_error_of_configuration_without_content_rules_names_their_file(otelcol, name):
    file = CONFIG_FOLDER / name
    process = subprocess.run(
        [otelcol, "--config", file], capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    assert f"add --config without-content.yaml after {file.name}" in process.stderr


@pytest.mark.parametrize("name", ["agent.yaml", "gateway/writer-backend.yaml"])
def test_content_rules_before_the_configuration_are_an_error(otelcol, name):
    rules, file = CONFIG_FOLDER / "without-content.yaml", CONFIG_FOLDER / name
    process = subprocess.run(
        [otelcol, "--config", rules, "--config", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert f"add --config without-content.yaml after {file.name}" in process.stderr
