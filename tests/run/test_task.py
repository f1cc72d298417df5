"""What the worker's command has in its environment."""

import sys
from pathlib import Path

from foldwise.run.shipped.task import environment


def test_python_is_that_of_the_worker():
    path = environment({"PATH": "/usr/bin"}, has_gpu=False)["PATH"]
    assert path == f"{Path(sys.executable).parent}:/usr/bin"


def test_hardware_threads_alone_decides_and_not_what_ray_sets():
    assert "OMP_NUM_THREADS" not in environment({"OMP_NUM_THREADS": "1"}, has_gpu=False)


def test_a_fold_sees_the_gpu_that_ray_gave_it_or_none():
    given = {"CUDA_VISIBLE_DEVICES": "1"}
    assert environment(given, has_gpu=True)["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment(given, has_gpu=False)["CUDA_VISIBLE_DEVICES"] == ""


def test_credentials_stay():
    assert environment({"AWS_PROFILE": "me"}, has_gpu=False)["AWS_PROFILE"] == "me"
