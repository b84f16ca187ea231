"""The README and the guide name the folders and the commands that exist."""

from __future__ import annotations

import json
import re
import shlex

import yaml

from .manifests import EXAMPLE_SECRETS, ROOT, VARIANTS, render

README = (ROOT / "collector" / "README.md").read_text()
SECTION = README[README.index("\n### Kubernetes") : README.index("\n## Failures")]


def test_readme_lists_every_folder():
    table = SECTION[SECTION.index("| folder") : SECTION.index("These files")]
    folders = re.findall(r"^\| (?:\[([\w/-]+)\]|`(\w+)`)", table, re.MULTILINE)
    assert sorted(a or b for a, b in folders) == sorted(VARIANTS)


def test_commands_name_existing_files():
    (console,) = re.findall(r"```console\n(.*?)```", SECTION, re.DOTALL)
    words = [
        word
        for line in console.splitlines()
        for word in shlex.split(line, comments=True)
    ]
    paths = [word for word in words if re.match(r"(collector|examples)/", word)]
    assert len(paths) == 4  # the Dockerfile, two manifests and the overlay
    assert all((ROOT / path).exists() for path in paths)


def test_namespaces_of_the_policies_are_documented():
    objects = [o for variant in VARIANTS for o in render(variant)]
    policies = [o["spec"] for o in objects if o["kind"] == "NetworkPolicy"]
    names = set(re.findall(r"metadata\.name: ([\w-]+)", yaml.safe_dump(policies)))
    # The ingress controller is in the policy of the application, which is an example.
    for name in names - {"ingress"}:
        assert f"`{name}`" in SECTION


def test_secrets_are_created_in_the_namespace_of_the_manifests():
    (namespace,) = (
        o["metadata"]["name"] for o in render("collector") if o["kind"] == "Namespace"
    )
    assert f"-n {namespace} -f" in SECTION
    assert f"-n {namespace} -f" in EXAMPLE_SECRETS.read_text()


def test_entry_point_of_the_guide_is_the_command_of_the_example():
    guide = (ROOT / "docs" / "guides" / "serverless.md").read_text()
    words = [
        word
        for name in ("ENTRYPOINT", "CMD")
        for word in json.loads(re.findall(rf"^{name} (.+)$", guide, re.MULTILINE)[0])
    ]
    function = (ROOT / "examples" / "lambda_function.py").read_text()
    assert f"`{' '.join(words)}`" in function
    (snippet,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    finally_block = snippet[snippet.index("        provider") :].strip()
    assert finally_block in function
