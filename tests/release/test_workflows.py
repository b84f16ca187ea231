"""The workflows of GitHub run what tox.ini and pyproject.toml name."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.release.test_compatibility import PROJECT, expand
from tests.skipping import skip_unless_ci

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github/workflows"
# `go run` builds it. Its package for Python downloads a program from GitHub.
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"

pytestmark = pytest.mark.skipif(
    not WORKFLOWS.exists(), reason="the sdist has no workflows"
)


@pytest.fixture(scope="module")
def jobs():
    files = {file.name: file.read_text("utf-8") for file in WORKFLOWS.glob("*.yml")}
    return {
        name: yaml.load(text, yaml.BaseLoader)["jobs"] for name, text in files.items()
    }


@pytest.fixture(scope="module")
def tox_environments():
    text = (ROOT / "tox.ini").read_text("utf-8")
    return {n for s in re.findall(r"\[testenv:(.+)\]", text) for n in expand(s)}


@pytest.fixture(scope="module")
def default_environments():
    text = (ROOT / "tox.ini").read_text("utf-8")
    (value,) = re.findall(r"env_list =((?:\n +.+)+)", text)
    return set(re.split(r"[,\s]+", value.strip()))


def test_actionlint_finds_nothing():
    if shutil.which("go") is None:
        skip_unless_ci("actionlint needs Go")
    process = subprocess.run(
        ["go", "run", ACTIONLINT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (0, ""), process.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.dependabot", "dependabot.yml"),
        ("vendor.github-issue-config", "ISSUE_TEMPLATE/config.yml"),
        ("vendor.github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
        ("custom.github-workflows-require-timeout", "workflows/*.yml"),
    ],
)
def test_files_of_github_are_valid(schema, files):
    paths = list(WORKFLOWS.parent.glob(files))
    assert paths
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    process = subprocess.run(
        [*command, *paths], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout


def test_configuration_of_read_the_docs_is_valid():
    schema = ("--builtin-schema", "vendor.readthedocs")
    command = [sys.executable, "-m", "check_jsonschema", *schema]
    process = subprocess.run(
        [*command, ROOT / ".readthedocs.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout


def test_ci_runs_the_default_environments(jobs, default_environments, tox_environments):
    groups = jobs["ci.yml"]["environments"]["strategy"]["matrix"]["include"]
    names = [name for group in groups for name in group["environments"].split(",")]
    assert len(names) == len(set(names))
    assert default_environments <= set(names) <= tox_environments


def test_weekly_environments_are_in_tox_ini(jobs, tox_environments):
    matrix = jobs["weekly.yml"]["environments"]["strategy"]["matrix"]
    assert set(matrix["environment"]) <= tox_environments
    assert "newest" in matrix["environment"]


def test_macos_and_windows_have_the_lowest_and_the_newest_python(
    jobs, tox_environments
):
    versions = [name for name in tox_environments if re.fullmatch(r"3\.\d+", name)]
    versions.sort(key=lambda version: int(version.partition(".")[2]))
    ends = [versions[0], versions[-1]]
    matrix = jobs["ci.yml"]["python"]["strategy"]["matrix"]
    assert [entry["python-version"] for entry in matrix["include"]] == ends
    matrix = jobs["ci.yml"]["windows"]["strategy"]["matrix"]
    assert matrix["python-version"] == ends
    (setup,) = (
        step["with"]
        for step in jobs["ci.yml"]["environments"]["steps"]
        if "setup-python" in step.get("uses", "")
    )
    assert setup["python-version"].split()[0] == ends[0]


def test_success_requires_every_job_of_ci(jobs):
    ci = jobs["ci.yml"]
    assert set(ci["success"]["needs"]) == ci.keys() - {"success"}


def test_only_the_jobs_that_publish_may_write(jobs):
    writers = {
        (file, name): [p for p, level in job["permissions"].items() if level == "write"]
        for file, file_jobs in jobs.items()
        for name, job in file_jobs.items()
    }
    assert {job: writes for job, writes in writers.items() if writes} == {
        ("release.yml", "publish"): ["attestations", "id-token"],
        ("release.yml", "github-release"): ["contents"],
    }
    assert jobs["release.yml"]["publish"]["environment"]["name"] == "pypi"


def test_every_action_is_pinned_by_its_hash(jobs):
    uses = [
        step["uses"]
        for file_jobs in jobs.values()
        for job in file_jobs.values()
        for step in job.get("steps", ())
        if "uses" in step
    ]
    assert len(uses) > 10
    assert [u for u in uses if not re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", u)] == []


def test_forms_for_issues_have_the_address_of_the_project():
    config = yaml.safe_load(
        (ROOT / ".github/ISSUE_TEMPLATE/config.yml").read_text("utf-8")
    )
    repository = PROJECT["urls"]["Repository"]
    for link in config["contact_links"]:
        path = link["url"].removeprefix(f"{repository}/")
        if path.startswith("blob/main/"):
            assert (ROOT / path.removeprefix("blob/main/")).exists()
        else:
            assert path == "security/advisories/new"
