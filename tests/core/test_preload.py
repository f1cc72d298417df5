import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from foldwise.core.preload import (
    PRELOAD_SERVERS,
    Command,
    delegate,
    receive,
    send,
    send_status,
    wait,
)

COMMAND = Command(
    "m", ["--a", "ä\n", "\udcff"], "/", {"EMPTY": "", "BYTES": "\udcfe", "LONG": "x" * 10**5}
)


@pytest.fixture
def connection():
    """Return the two ends of a connection."""
    pair = socket.socketpair()
    yield pair
    for end in pair:
        end.close()


def test_a_command_arrives_with_its_streams(connection):
    reader, writer = os.pipe()
    send(connection[0], COMMAND, (reader, writer, writer))
    command, streams = receive(connection[1])
    assert command == COMMAND
    assert len({reader, writer, *streams}) == 5
    os.write(streams[2], b"seen")
    assert os.read(reader, 9) == b"seen"
    for descriptor in (reader, writer, *streams):
        os.close(descriptor)


def test_an_incomplete_command_is_an_error(connection):
    connection[0].sendall(b"\n{")
    connection[0].close()
    with pytest.raises(EOFError, match="before it had sent its whole"):
        receive(connection[1])


@pytest.mark.parametrize("status", [0, 255, -15])
def test_a_status_arrives(connection, status):
    send_status(connection[1], status)
    assert wait(connection[0]) == status


def test_a_server_that_ended_sends_no_status(connection):
    connection[1].close()
    assert wait(connection[0]) is None


@pytest.mark.parametrize("servers", [None, '{"m": "nobody/listens"}', '{"other": "x"}'])
def test_without_a_server_a_process_runs_its_command_itself(monkeypatch, servers):
    monkeypatch.delenv(PRELOAD_SERVERS, raising=False)
    if servers:
        monkeypatch.setenv(PRELOAD_SERVERS, servers)
    delegate("m")


def test_the_client_imports_nothing_slow():
    """The client exists to save the time of imports."""
    call = "import sys, foldwise.core.preload; print(*sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=root, capture_output=True, text=True, check=True
    )
    assert not {"torch", "numpy", "pydantic", "asyncio"} & set(done.stdout.split())
