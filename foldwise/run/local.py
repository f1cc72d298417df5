"""Trainings side by side on this machine, each by a DVC of its own."""

import asyncio
import os
import signal
import socket
from asyncio import StreamReader, StreamReaderProtocol
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from foldwise.core.errors import InputError
from foldwise.core.preload import LONGEST_STATUS, PRELOAD_ADDRESS, read_status
from foldwise.run.dvc import Pipeline
from foldwise.run.preload_client import preload_server
from foldwise.run.progress import ParallelProgress, failure_reason, log_path
from foldwise.run.slots import Slot

LONGEST = 2**20  # bytes of a line
LOADED = ("stages.train",)


def run_local(
    stages: Sequence[str], slots: Sequence[Slot], pipeline: Pipeline, board: ParallelProgress
) -> None:
    """Run every stage, as many at a time as there are slots; one that fails stops no other.

    Interrupted, it ends what runs before it raises; killed, what runs ends by itself.

    Args:
        stages: Of train, all others before them being up to date.
        slots: Where to run, at least one.
        pipeline: That they are of.
        board: Is told how it goes, failures included.
    """
    with preload_server(LOADED, signal.SIGKILL) as trainer:
        here = _Here(deque(stages), pipeline, trainer, board)
        asyncio.run(here.run(slots))


@dataclass(frozen=True)
class _Here:
    """What all slots share.

    Attributes:
        waiting: Stages that no slot has taken yet.
        pipeline: That they are of.
        trainer: Address of the forker that trains.
        board: Is told how it goes.
    """

    waiting: deque[str]
    pipeline: Pipeline
    trainer: str
    board: ParallelProgress

    async def run(self, slots: Sequence[Slot]) -> None:
        async with asyncio.TaskGroup() as group:
            for slot in slots:
                group.create_task(self._serve(slot))

    async def _serve(self, slot: Slot) -> None:
        while self.waiting:
            stage = self.waiting.popleft()
            self.board.started(stage)
            self.board.ended(stage, await self._run(stage, slot))

    async def _run(self, stage: str, slot: Slot) -> str | None:
        """Run one stage with its log in a file, and return its error, if it failed."""
        log = log_path(stage)
        environment = {**slot.environment, PRELOAD_ADDRESS: self.trainer}
        reader, writer = os.pipe()
        words = ("repro", "--single-item", stage)
        async with _lines(reader) as lines:
            try:
                connection = self.pipeline.start(words, writer, writer, environment)
            except InputError as error:
                return str(error)
            finally:
                os.close(writer)
            with connection:
                try:
                    await self._listen(lines, log, stage)
                except BaseException:
                    connection.shutdown(socket.SHUT_WR)
                    raise
                finally:
                    status = await _status(connection)
        return None if status == 0 else failure_reason(log)

    async def _listen(self, lines: StreamReader, log: Path, stage: str) -> None:
        with log.open("w", encoding="utf-8") as file:
            async for line in lines:
                text = line.decode(errors="replace")
                file.write(text)
                file.flush()
                self.board.said(stage, text.rstrip())


async def _status(connection: socket.socket) -> int | None:
    """Return the status of a job when it has ended."""
    connection.setblocking(False)
    try:
        said = await asyncio.get_running_loop().sock_recv(connection, LONGEST_STATUS)
    except ConnectionError:
        return None
    return read_status(said)


@asynccontextmanager
async def _lines(descriptor: int) -> AsyncIterator[StreamReader]:
    """Read what is written to the other end of a pipe."""
    reader = StreamReader(limit=LONGEST)
    with open(descriptor, "rb") as file:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: StreamReaderProtocol(reader), file)
        try:
            yield reader
        finally:
            transport.close()
