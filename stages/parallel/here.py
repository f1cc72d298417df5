"""Trainings side by side on this machine, each by a DVC of its own."""

import asyncio
import os
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from stages.parallel.board import Board
from stages.parallel.child import dvc_command
from stages.parallel.slots import Slot
from stages.parallel.words import error_line

LOGS = Path(".dvc/tmp/parallel")
LONGEST = 2**20  # bytes of a line


def run_here(stages: Sequence[str], slots: Sequence[Slot], board: Board) -> None:
    """Run every stage, as many at a time as there are slots; one that fails stops no other.

    Interrupted, it ends what runs before it raises; killed, what runs ends by itself.

    Args:
        stages: Of train, all others before them being up to date.
        slots: Where to run, at least one.
        board: Is told how it goes, failures included.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    asyncio.run(_run_all(deque(stages), slots, board))


async def _run_all(waiting: deque[str], slots: Sequence[Slot], board: Board) -> None:
    async with asyncio.TaskGroup() as group:
        for slot in slots:
            group.create_task(_serve(slot, waiting, board))


async def _serve(slot: Slot, waiting: deque[str], board: Board) -> None:
    while waiting:
        stage = waiting.popleft()
        board.started(stage)
        board.ended(stage, await _run(stage, slot, board))


async def _run(stage: str, slot: Slot, board: Board) -> str | None:
    """Run one stage with its log in a file, and return its error, if it failed."""
    process = await asyncio.create_subprocess_exec(
        *dvc_command("--wait-for-lock", "repro", "--single-item", stage),
        env={**os.environ, **slot.environment},
        stdout=PIPE,
        stderr=STDOUT,
        limit=LONGEST,
        start_new_session=True,
    )
    log = LOGS / f"{stage}.log"
    try:
        await _listen(process, log, stage, board)
        failed = await process.wait() != 0
    finally:
        await _end(process)
    text = log.read_text(encoding="utf-8")
    return f"{error_line(text)} (all of it in {log})" if failed else None


async def _listen(process: Process, log: Path, stage: str, board: Board) -> None:
    assert process.stdout is not None
    with log.open("w", encoding="utf-8") as file:
        async for line in process.stdout:
            text = line.decode(errors="replace")
            file.write(text)
            file.flush()
            board.said(stage, text.rstrip())


async def _end(process: Process) -> None:
    """End a process that may still run, and all that it runs; DVC finishes what it writes."""
    if process.returncode is None:
        process.terminate()
        await process.wait()
