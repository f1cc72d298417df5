import platform

import pytest

PAGES = 64 * 2**20 // 4096  # of a tensor of 64 MiB
AGAIN = """
import resource, torch
{}
def fill():
    torch.empty(64 * 2**20, dtype=torch.uint8).fill_(1)
for _ in range(10):
    fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
KEEP = "from foldwise.engine.hardware import keep_freed_memory; keep_freed_memory()"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
@pytest.mark.parametrize(
    ("first", "is_kept"), [(KEEP, True), pytest.param("", False, marks=pytest.mark.slow)]
)
def test_memory_that_was_freed_is_not_asked_for_again(torch_process, first, is_kept):
    """In a process of its own: it cannot be undone. Without it, each page is cleared anew."""
    done = torch_process.run("-c", AGAIN.format(first))
    assert (int(done.stdout) < PAGES / 10) == is_kept
