"""What a fold takes of a worker, and what must be the same there."""

import pytest

from foldwise.core.errors import InputError
from foldwise.core.machine import versions
from foldwise.files.params import HardwareSection
from foldwise.run.requirements import (
    WorkerResources,
    choose_resources,
    require_same_environment,
    required_environment,
)


def section(device="auto", precision="auto"):
    return HardwareSection(device=device, precision=precision, threads=2)


@pytest.mark.parametrize(
    ("device", "here", "gpus", "expected"),
    [
        ("auto", "cpu", None, 0),
        ("auto", "cuda", None, 1),
        ("cpu", "cpu", None, 0),
        ("cuda", "cuda", None, 1),
        ("cuda", "cuda", 0.5, 0.5),
        ("auto", "cpu", 1, 1),  # the machine at the head of a cluster often has none
    ],
)
def test_a_fold_takes_a_gpu_where_it_would_train_on_one(device, here, gpus, expected):
    assert choose_resources(section(device), here, gpus) == WorkerResources(
        threads=2, gpus=expected
    )


@pytest.mark.parametrize(
    ("device", "here", "gpus", "message"),
    [
        ("cpu", "cpu", 1, "--gpus is 1 and hardware.device is 'cpu'"),
        ("cuda", "cuda", 0, "--gpus is 0 and hardware.device is 'cuda', here a GPU"),
        ("auto", "cuda", 0, "--gpus is 0 and hardware.device is 'auto', here a GPU"),
        ("auto", "cpu", -1, "--gpus is -1"),
        ("auto", "cpu", 2, "--gpus is 2"),
        ("auto", "cpu", float("nan"), "--gpus is nan"),
    ],
)
def test_folds_are_never_trained_on_something_else(device, here, gpus, message):
    with pytest.raises(InputError, match=f"^{message}"):
        choose_resources(section(device), here, gpus)


def test_auto_precision_is_that_of_here():
    expected = required_environment(
        section(), "cpu", "bfloat16", WorkerResources(threads=2, gpus=0)
    )
    assert expected == versions() | {"precision": "bfloat16"}


def test_auto_precision_is_refused_where_only_workers_have_gpus():
    with pytest.raises(InputError, match=r"^hardware\.precision is 'auto'"):
        required_environment(section(), "cpu", "bfloat16", WorkerResources(threads=2, gpus=1))
    named = required_environment(
        section(precision="float32"), "cpu", "float32", WorkerResources(threads=2, gpus=1)
    )
    assert named["precision"] == "float32"


def test_the_same_versions_pass():
    require_same_environment(versions(), versions())


def test_other_versions_are_named_with_both():
    with pytest.raises(InputError) as caught:
        require_same_environment(
            {"python": "3.11.7", "torch": "2.14.1"}, {"python": "3.11.7", "torch": "2.15.0"}
        )
    assert str(caught.value) == (
        "on the worker: torch 2.15.0, here 2.14.1; make them equal, or bits differ"
    )
