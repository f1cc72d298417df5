import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from foldwise.core.preload import (
    PRELOAD_ADDRESS,
    Command,
    delegate,
    receive,
    send,
    send_status,
    wait,
)

JOB = Command(
    "m", ["--a", "ä\n", "\udcff"], "/", {"EMPTY": "", "BYTES": "\udcfe", "LONG": "x" * 10**5}
)


@pytest.fixture
def ends():
    """Return the two ends of a connection."""
    pair = socket.socketpair()
    yield pair
    for one in pair:
        one.close()


def test_a_job_arrives_with_its_streams(ends):
    reader, writer = os.pipe()
    send(ends[0], JOB, (reader, writer, writer))
    job, streams = receive(ends[1])
    assert job == JOB
    assert len({reader, writer, *streams}) == 5
    os.write(streams[2], b"seen")
    assert os.read(reader, 9) == b"seen"
    for descriptor in (reader, writer, *streams):
        os.close(descriptor)


def test_a_job_that_was_cut_off_is_none(ends):
    ends[0].sendall(b"\n{")
    ends[0].close()
    with pytest.raises(EOFError, match="before it had sent all"):
        receive(ends[1])


@pytest.mark.parametrize("status", [0, 255, -15])
def test_a_status_arrives(ends, status):
    send_status(ends[1], status)
    assert wait(ends[0]) == status


def test_who_ends_without_a_word_has_no_status(ends):
    ends[1].close()
    assert wait(ends[0]) is None


@pytest.mark.parametrize("address", [None, "nobody/listens"])
def test_without_a_forker_a_process_does_it_itself(monkeypatch, address):
    monkeypatch.delenv(PRELOAD_ADDRESS, raising=False)
    if address:
        monkeypatch.setenv(PRELOAD_ADDRESS, address)
    delegate("m")


def test_handing_over_loads_nothing_that_takes_long():
    """A process does it that exists to save its imports."""
    call = "import sys, foldwise.core.preload; print(*sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=root, capture_output=True, text=True, check=True
    )
    assert not {"torch", "numpy", "pydantic", "asyncio"} & set(done.stdout.split())
