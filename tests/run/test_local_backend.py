"""Slots for parallel trainings on one machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.run.local_backend import allocate_slots, visible_gpus

TWO_GPUS = """GPU 0: NVIDIA A100 (UUID: GPU-1f)
  MIG 3g.20gb Device 0: (UUID: MIG-2a)
GPU 1: NVIDIA A100 (UUID: GPU-3c)
"""
FEW, MANY = st.integers(1, 8), st.integers(1, 256)
NAMES = st.lists(st.sampled_from("0123"), unique=True)


@given(threads=FEW, cores=MANY, gpus=NAMES)
def test_by_default_as_many_run_as_fit_and_at_most_one_on_each_gpu(threads, cores, gpus):
    slots = allocate_slots(None, threads, cores, gpus)
    most = len(gpus) if gpus else cores
    assert len(slots) == max(1, min(most, cores // threads))


@given(jobs=FEW, threads=FEW, cores=MANY, gpus=NAMES)
def test_requested_jobs_are_granted_or_rejected_and_never_changed(jobs, threads, cores, gpus):
    if jobs == 1 or jobs * threads <= cores:
        assert len(allocate_slots(jobs, threads, cores, gpus)) == jobs
    else:
        with pytest.raises(InputError):
            allocate_slots(jobs, threads, cores, gpus)


def test_gpus_are_assigned_in_turn_and_shared_if_there_are_too_few():
    slots = allocate_slots(3, 1, 8, ["0", "MIG-2a"])
    assert slots == [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in ("0", "MIG-2a", "0")]


def test_without_gpus_the_environment_stays():
    assert allocate_slots(2, 1, 2, []) == [{}, {}]


@pytest.mark.parametrize(
    ("jobs", "threads", "cores", "needed", "remedy"),
    [
        (2, 2, 2, 4, "use --jobs 1, or set hardware.threads: 1"),
        (3, 1, 2, 3, "use --jobs 2"),
        (5, 2, 4, 10, "use --jobs 2"),
        (2, 8, 4, 16, "use --jobs 1, or set hardware.threads: 2"),
    ],
)
def test_too_many_jobs_are_rejected_with_the_value_to_set(jobs, threads, cores, needed, remedy):
    with pytest.raises(InputError) as caught:
        allocate_slots(jobs, threads, cores, [])
    message = str(caught.value)
    assert message.startswith(f"--jobs is {jobs} and hardware.threads in params.yaml is {threads}:")
    assert f"needs {needed} cores, and {cores} are available; {remedy}" in message
    assert ("hardware.threads: " in message) == ("hardware.threads: " in remedy)


@pytest.mark.parametrize("jobs", [0, -1])
def test_fewer_jobs_than_one_are_rejected(jobs):
    with pytest.raises(InputError, match=f"--jobs is {jobs}; expected at least 1"):
        allocate_slots(jobs, 1, 4, [])


@pytest.mark.parametrize(
    ("device", "environment", "nvidia_smi", "gpus"),
    [
        ("cpu", {"CUDA_VISIBLE_DEVICES": "0"}, TWO_GPUS, []),
        ("auto", {}, "", []),
        ("auto", {}, "NVIDIA-SMI has failed because it couldn't communicate", []),
        ("auto", {}, TWO_GPUS, ["0", "1"]),
        ("cuda", {}, TWO_GPUS, ["0", "1"]),
        ("cuda", {"CUDA_VISIBLE_DEVICES": "1"}, TWO_GPUS, ["1"]),
        ("cuda", {"CUDA_VISIBLE_DEVICES": "MIG-2a, GPU-3c"}, "", ["MIG-2a", "GPU-3c"]),
        ("auto", {"CUDA_VISIBLE_DEVICES": ""}, TWO_GPUS, []),
        ("auto", {"CUDA_VISIBLE_DEVICES": "-1"}, TWO_GPUS, []),
    ],
)
def test_the_environment_names_the_gpus_or_nvidia_smi_does(device, environment, nvidia_smi, gpus):
    assert visible_gpus(device, environment, nvidia_smi) == gpus
