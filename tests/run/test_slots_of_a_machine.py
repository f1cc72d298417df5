import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.run.slots import Slot, allot, visible_gpus

TWO_GPUS = """GPU 0: NVIDIA A100 (UUID: GPU-1f)
  MIG 3g.20gb Device 0: (UUID: MIG-2a)
GPU 1: NVIDIA A100 (UUID: GPU-3c)
"""
FEW, MANY = st.integers(1, 8), st.integers(1, 256)
NAMES = st.lists(st.sampled_from("0123"), unique=True)


@given(threads=FEW, cores=MANY, gpus=NAMES)
def test_by_default_all_that_fits_runs_and_no_more_than_one_a_gpu(threads, cores, gpus):
    slots = allot(None, threads, cores, gpus)
    most = len(gpus) if gpus else cores
    assert len(slots) == max(1, min(most, cores // threads))


@given(jobs=FEW, threads=FEW, cores=MANY, gpus=NAMES)
def test_jobs_asked_for_are_given_or_refused_never_changed(jobs, threads, cores, gpus):
    if jobs == 1 or jobs * threads <= cores:
        assert len(allot(jobs, threads, cores, gpus)) == jobs
    else:
        with pytest.raises(InputError):
            allot(jobs, threads, cores, gpus)


def test_gpus_are_dealt_out_in_turn_and_shared_where_they_are_too_few():
    assert [slot.gpu for slot in allot(3, 1, 8, ["0", "MIG-2a"])] == ["0", "MIG-2a", "0"]
    assert Slot("MIG-2a").environment == {"CUDA_VISIBLE_DEVICES": "MIG-2a"}


def test_without_gpus_a_training_sees_what_there_is():
    assert [slot.environment for slot in allot(2, 1, 2, [])] == [{}, {}]


@pytest.mark.parametrize(
    ("jobs", "threads", "cores", "end"),
    [
        (
            2,
            2,
            2,
            "2: that needs 4 cores, and there are 2; take --jobs 1, or set hardware.threads: 1, "
            "which trains all anew, since another number of threads gives other bits",
        ),
        (3, 1, 2, "1: that needs 3 cores, and there are 2; take --jobs 2"),
        (5, 2, 4, "2: that needs 10 cores, and there are 4; take --jobs 2"),
        (2, 8, 4, "8: that needs 16 cores, and there are 4; take --jobs 1, or set hardware.th"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_set(jobs, threads, cores, end):
    with pytest.raises(InputError) as refused:
        allot(jobs, threads, cores, [])
    start = f"--jobs is {jobs}, and hardware.threads of params.yaml "
    assert str(refused.value).startswith(start + end)


@pytest.mark.parametrize("jobs", [0, -1])
def test_fewer_jobs_than_one_are_refused(jobs):
    with pytest.raises(InputError, match=f"--jobs is {jobs}; expected at least 1"):
        allot(jobs, 1, 4, [])


@pytest.mark.parametrize(
    ("device", "environment", "listed", "gpus"),
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
def test_the_environment_names_the_gpus_or_nvidia_smi_does(device, environment, listed, gpus):
    assert visible_gpus(device, environment, listed) == gpus
