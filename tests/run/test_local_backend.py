"""Slots for parallel trainings on one machine."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.core.machine import available_memory_bytes
from foldwise.files.network import MemoryNeed, read_card, write_card
from foldwise.run.dvc import open_dvc
from foldwise.run.local_backend import (
    CARDS,
    allocate_slots,
    fit_memory,
    run_local,
    visible_gpus,
)
from foldwise.run.progress import log_path

ROOT = Path(__file__).parents[2]
# Two megabytes of a progress bar, without a line break and with broken UTF-8
PRINTS = """import sys
for n in range(20_000):
    sys.stdout.buffer.write(b"\\r%6d of 20000 \\xff %s" % (n, b"=" * 100))
print("\\rtrain: result")
sys.exit(int(sys.argv[1]))
"""

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


@pytest.fixture
def stages(tmp_path, monkeypatch):
    """Return trainings of a network of 1 MB, and of one that takes two thirds of the memory."""
    monkeypatch.chdir(tmp_path)
    available = available_memory_bytes()
    if available is None:
        pytest.skip("only Linux says how much memory is available")
    card = read_card(ROOT / CARDS / "lenet5")
    for name, share in (("small", 0), ("large", 2 / 3)):
        memory = MemoryNeed(
            process_bytes=10**8, weight_bytes=10**6, image_bytes=int(share * available / 64)
        )
        write_card(CARDS / name, card.model_copy(update={"memory": memory}))
    return lambda *names: [f"train@{name}-0-{fold}" for fold, name in enumerate(names)]


def test_without_a_number_only_as_many_run_as_the_memory_holds(stages):
    slots = allocate_slots(None, 1, 4, [])
    for names, n_slots in (
        (("small", "small", "small", "small", "small"), 4),
        (("small", "large", "small", "small", "small"), 4),
        (("small", "large", "small", "large"), 1),
    ):
        fit, text = fit_memory(stages(*names), slots, 64, requested=False)
        assert (len(fit), text.startswith(f"{n_slots} at a time")) == (n_slots, True)
        assert ("GB of memory" in text) == (n_slots < 4)


def test_a_requested_number_stays_and_the_text_says_that_it_may_not_fit(stages):
    slots = allocate_slots(2, 1, 4, [])
    fit, text = fit_memory(stages("large", "large"), slots, 64, requested=True)
    assert fit == slots
    assert text.endswith("use --jobs 1")
    assert fit_memory(stages("small", "large"), slots, 64, requested=True)[1] == "2 at a time"


def test_one_training_runs_even_if_it_is_too_large(stages):
    slots = allocate_slots(None, 1, 2, [])
    assert len(fit_memory(stages("large", "large"), slots, 128, requested=False)[0]) == 1


def test_networks_on_gpus_need_no_memory_of_the_machine(stages):
    slots = allocate_slots(None, 1, 2, ["0", "1"])
    assert fit_memory(stages("large", "large"), slots, 64, requested=False)[0] == slots


def test_a_training_may_print_megabytes_without_a_line_break(tmp_path, monkeypatch, capsys):
    """Such as a user's network that draws a progress bar."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], check=True)
    Path("prints.py").write_text(PRINTS)
    train = {"foreach": [0, 1], "do": {"cmd": f"{sys.executable} prints.py ${{item}}"}}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": train}}))
    with open_dvc() as pipeline:
        failures = run_local(["train@0", "train@1"], [{}, {}], pipeline)
    assert list(failures) == ["train@1"]
    assert "] train: result\n" in capsys.readouterr().err
    assert log_path("train@0").stat().st_size > 2_000_000
