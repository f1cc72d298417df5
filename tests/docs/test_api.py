import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("data", "nets", "engine", "selection")
DOCUMENTED = ("data.arrays", "data.split", "selection.pairs")


def test_the_page_of_the_api_runs():
    page = str(ROOT / "docs" / "api.md")
    failures, n_examples = doctest.testfile(page, module_relative=False)
    assert (failures, n_examples > 10) == (0, True)


@pytest.mark.parametrize("name", [*PACKAGES, *DOCUMENTED])
def test_the_example_of_each_package_runs(name):
    failures, n_examples = doctest.testmod(importlib.import_module(f"foldwise.{name}"))
    assert (failures, n_examples > 0) == (0, True)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_function_has_a_docstring(name):
    package = importlib.import_module(f"foldwise.{name}")
    assert package.__all__
    for public in package.__all__:
        assert getattr(package, public).__doc__, public


def test_importing_the_packages_loads_no_torch():
    names = ", ".join(f"foldwise.{name}" for name in PACKAGES)
    code = f"import sys, {names}; assert not {{'torch', 'scipy', 'pandas'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
