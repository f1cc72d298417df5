"""Slow packages are imported only where they are needed."""

import json
import subprocess
import sys

import pytest

TORCH = {"torch", "torchvision", "torchinfo"}
# What a module must not import, directly or not. All are imported in this order by one process.
UNWANTED = {
    "foldwise.files.architecture": TORCH,
    "foldwise.data.folds": TORCH | {"sklearn", "scipy"},
    **{
        f"foldwise.data.{name}": TORCH
        for name in ("arrange", "decode", "pictures", "prepare", "sources", "split")
    },
    "stages.compare": TORCH,
    "stages.report": TORCH | {"matplotlib.pyplot"},
}
CODE = """
import importlib, json, sys
names = json.loads(sys.argv[1])
found = {}
for name, unwanted in names.items():
    importlib.import_module(name)
    found[name] = [package for package in unwanted if package in sys.modules]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found():
    names = json.dumps({name: sorted(packages) for name, packages in UNWANTED.items()})
    return json.loads(subprocess.check_output([sys.executable, "-c", CODE, names]))


@pytest.mark.parametrize("name", UNWANTED)
def test_a_module_does_without_slow_packages(found, name):
    assert found[name] == []
