"""The sdist and the wheel of a release, built from the files of the repository."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.skipping import skip_unless_ci

ROOT = Path(__file__).parents[2]
# Files of the repository that neither build nor test the package.
NOT_IN_SDIST = (".ci/", ".github/", ".readthedocs.yaml")


def build(folder, *options, source=ROOT):
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder]
    run(*command, *options, source)
    (file,) = Path(folder).iterdir()
    return file


def run(*command):
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def files_of_git(*options):
    if not (ROOT / ".git").exists():
        skip_unless_ci("needs a clone of the repository")
    output = run("git", "-C", ROOT, "ls-files", "-z", *options)
    return {name for name in output.split("\0") if name and (ROOT / name).exists()}


@pytest.fixture(scope="module")
def tracked_files():
    return files_of_git()


@pytest.fixture(scope="module")
def new_files():
    """Files that are not committed yet. In CI there are none."""
    return files_of_git("--others", "--exclude-standard")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    return build(tmp_path_factory.mktemp("sdist"), "--sdist")


@pytest.fixture(scope="module")
def unpacked_sdist(sdist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    return root


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("wheel"), "--wheel")


def test_sdist_has_the_files_of_the_repository(
    unpacked_sdist, tracked_files, new_files
):
    files = {
        path.relative_to(unpacked_sdist).as_posix()
        for path in unpacked_sdist.rglob("*")
        if path.is_file()
    }
    expected = {name for name in tracked_files if not name.startswith(NOT_IN_SDIST)}
    assert files - new_files == expected | {"PKG-INFO"}


def test_sdist_and_repository_build_the_same_wheel(unpacked_sdist, wheel, tmp_path):
    other_wheel = build(tmp_path, "--wheel", source=unpacked_sdist)
    assert other_wheel.name == wheel.name
    assert other_wheel.read_bytes() == wheel.read_bytes()


def test_wheel_has_the_files_of_the_source_folder(wheel, tracked_files, new_files):
    files = {f"src/{name}" for name in zipfile.ZipFile(wheel).namelist()} - new_files
    source_files = {name for name in tracked_files if name.startswith("src/")}
    assert {name for name in files if ".dist-info/" not in name} == source_files


def test_checks_of_the_package_index_pass(sdist, wheel):
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    run(sys.executable, "-m", "check_wheel_contents", wheel)


def test_distributions_have_the_version_of_the_source_code(sdist, wheel):
    text = ROOT.joinpath("src/opentelemetry/instrumentation/deepseek/version.py")
    version = text.read_text().removeprefix('__version__ = "').rstrip('"\n')
    name = f"opentelemetry_instrumentation_deepseek-{version}"
    assert (sdist.name, wheel.name) == (
        f"{name}.tar.gz",
        f"{name}-py3-none-any.whl",
    )
