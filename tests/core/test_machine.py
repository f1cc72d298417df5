import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core import machine
from foldwise.core.machine import (
    CHUNK_BYTES,
    PROCESS,
    available_memory_bytes,
    chunks,
    cpu_model,
    mapped_arrays_bytes,
)


@given(st.integers(0, 5000), st.integers(1, 2 * CHUNK_BYTES))
def test_every_row_is_in_one_chunk_in_order(n_rows, row_bytes):
    rows = range(n_rows)
    assert [row for part in chunks(n_rows, row_bytes) for row in rows[part]] == list(rows)


@given(st.integers(1, 5000), st.integers(1, 2 * CHUNK_BYTES))
def test_a_chunk_is_small_or_a_single_row(n_rows, row_bytes):
    sizes = [part.stop - part.start for part in chunks(n_rows, row_bytes)]
    assert all(size == 1 or size * row_bytes <= CHUNK_BYTES for size in sizes)


MEGABYTE = 2**20
SHOW = "from foldwise.core.machine import peak_memory_bytes as peak; import numpy as np; "

needs_proc = pytest.mark.skipif(not PROCESS.exists(), reason="only Linux tells it")


def peaks(code):
    """Run Python that prints peaks, a line each, and return them in MiB."""
    done = subprocess.run([sys.executable, "-c", SHOW + code], check=True, capture_output=True)
    return [int(line) / MEGABYTE for line in done.stdout.split()]


def test_the_peak_stays_when_the_memory_is_given_back():
    before, after = peaks("print(peak()); a = np.ones(10_000_000); del a; print(peak())")
    assert after - before == pytest.approx(76, abs=30)


@needs_proc
def test_a_mapped_array_does_not_count(tmp_path):
    np.save(tmp_path / "images.npy", np.ones(10_000_000))
    read = f"a = np.load('{tmp_path}/images.npy', mmap_mode='r'); a.sum()"
    before, after = peaks(f"print(peak()); {read}; print(peak())")
    assert after - before < 30


@needs_proc
def test_what_started_the_process_does_not_count():
    """Linux hands the figure of getrusage on from a large process to what it starts."""
    start = f"subprocess.run([sys.executable, '-c', {SHOW + 'print(peak())'!r}])"
    (alone,) = peaks("print(peak())")
    (of_a_large_one,) = peaks(f"import subprocess, sys; a = np.ones(20_000_000); {start}")
    assert of_a_large_one == pytest.approx(alone, abs=30)


def test_only_arrays_are_counted_of_what_is_mapped():
    smaps = """\
7f00-7f01 r--p 00000000 fe:00 17 /lib/libtorch.so
Size:                900 kB
Rss:                 800 kB
7f01-7f02 r--s 00000000 fe:00 18 /data/my images.npy
Size:                 80 kB
Rss:                  40 kB
Pss:                  20 kB
7f02-7f03 rw-p 00000000 00:00 0
Rss:                   7 kB
"""
    assert mapped_arrays_bytes(smaps) == 40 * 1024


def test_the_cpu_is_named_by_its_model(tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9R14\n")
    monkeypatch.setattr(machine, "CPU_INFO", path)
    assert cpu_model() == "AMD EPYC 9R14"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", ", CPU implementer 0x41, CPU part 0xd0c"),
        ("processor\t: 0\n", ""),
    ],
)
def test_a_cpu_without_a_model_name_is_named_by_its_architecture_and_numbers(
    tmp_path, monkeypatch, text, numbers
):
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(machine, "CPU_INFO", path)
    monkeypatch.setattr(machine.sys, "platform", "linux")
    assert cpu_model() == f"{machine.platform.machine()}{numbers}"


def write_system(root, **files):
    """Write the files with which Linux describes memory; `__` stands for `/` in their names."""
    files = {"proc__meminfo": "MemTotal: 9000 kB\nMemAvailable: 8000 kB\n"} | files
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("own", "groups", "available"),
    [
        ("0::/", {}, 8000),
        ("0::/job/step", {"job__memory.max": "max\n", "job__step__memory.max": "max\n"}, 8000),
        (
            "0::/job/step",  # the parent has the limit; its page cache can be dropped
            {
                "job__memory.max": "5120000\n",
                "job__memory.current": "2048000\n",
                "job__memory.stat": "anon 5\ninactive_file 1024000\n",
                "job__step__memory.max": "max\n",
            },
            4000,
        ),
        (
            "0::/of/the/host",  # in a container, whose own group is the root
            {
                "memory.max": "1024000\n",
                "memory.current": "2048000\n",
                "memory.stat": "inactive_file 0\n",
            },
            0,
        ),
        (
            "5:cpu:/\n4:memory:/job\n0::/",
            {
                "memory__job__memory.limit_in_bytes": "3072000\n",
                "memory__job__memory.usage_in_bytes": "1024000\n",
                "memory__job__memory.stat": "inactive_file 1\ntotal_inactive_file 0\n",
            },
            2000,
        ),
    ],
)
def test_control_groups_limit_the_available_memory(tmp_path, own, groups, available):
    files = {f"sys__fs__cgroup__{name}": text for name, text in groups.items()}
    write_system(tmp_path, proc__self__cgroup=f"{own}\n", **files)
    assert available_memory_bytes(tmp_path) == available * 1024


@needs_proc
def test_a_part_of_the_memory_is_available():
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < available_memory_bytes() < total


def test_elsewhere_the_available_memory_is_unknown(tmp_path):
    assert available_memory_bytes(tmp_path) is None
