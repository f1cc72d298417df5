"""Ray is an extra: without it, only a cluster is missing."""

import subprocess
import sys

WITHOUT_RAY = """
import sys

sys.modules["ray"] = None  # as if it were not installed
from foldwise.cli.run import main

try:
    main(["--params", "params.yaml", "--address", "auto"])
except ValueError as error:
    print(error)
"""


def test_without_ray_an_address_is_one_line_with_what_to_do():
    command = (sys.executable, "-c", WITHOUT_RAY)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "--address needs Ray, which is not installed; pip install -e '.[cluster]'\n"


def test_without_an_address_ray_and_torch_are_not_imported():
    code = "import sys, foldwise.cli.run; print({'ray', 'torch'} & set(sys.modules))"
    said = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"
