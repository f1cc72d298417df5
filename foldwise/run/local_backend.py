"""Parallel trainings on this machine, each run by its own DVC."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from foldwise.core.errors import InputError
from foldwise.core.machine import available_memory_bytes
from foldwise.core.preload import parse_status
from foldwise.core.process import count_cores
from foldwise.files.network import read_card
from foldwise.files.params import HardwareSection
from foldwise.run.dvc import Pipeline
from foldwise.run.progress import ParallelProgress, failure_reason, log_path

CHUNK_BYTES = 2**16
MAX_LINE_BYTES = 2**12  # of a line that is read for the progress; the log has all of it
CARDS = Path("reports/models")
# Of one training beside its network; the rest of its process is shared with the server from which
# it is forked. Measured with lenet5: 40 to 160 MB for itself, 2 MB for its DVC.
OWN_BYTES = 200_000_000
GIGABYTE = 10**9


# Room for one training at a time: the environment variables that give it a GPU, if there is any.
Slot = dict[str, str]


def allocate_slots(jobs: int | None, threads: int, cores: int, gpus: Sequence[str]) -> list[Slot]:
    """Return the slots; GPUs are assigned in turn.

    The number of threads changes the floating-point result, so it is never adapted.

    Args:
        jobs: Requested number of slots, at least 1; None: one for each GPU or, without GPUs, as
            many as fit.
        threads: Threads of one training, at least 1.
        cores: Cores that this process may use.
        gpus: Names of the GPUs; empty: train on the CPU.

    Raises:
        InputError: If several jobs are requested and there are too few cores.
    """
    fit = max(1, cores // threads)
    if jobs is None:
        jobs = min(fit, len(gpus)) if gpus else fit
    if jobs < 1:
        raise InputError(f"--jobs is {jobs}; expected at least 1")
    if jobs > fit:
        remedy = f"use --jobs {fit}"
        if jobs <= cores and threads > 1:
            remedy += (
                f", or set hardware.threads: {cores // jobs}, which trains everything again, "
                "because the number of threads changes the floating-point result"
            )
        raise InputError(
            f"--jobs is {jobs} and hardware.threads in params.yaml is {threads}: that needs "
            f"{jobs * threads} cores, and {cores} are available; {remedy}"
        )
    if not gpus:
        return [{} for _ in range(jobs)]
    return [{"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} for number in range(jobs)]


def visible_gpus(device: str, environment: Mapping[str, str], nvidia_smi: str) -> list[str]:
    """Return the GPUs that trainings may use, as CUDA_VISIBLE_DEVICES names them.

    Args:
        device: hardware.device.
        environment: CUDA_VISIBLE_DEVICES, if set, decides.
        nvidia_smi: Output of `nvidia-smi -L`; empty without it. MIG instances, which are indented,
            do not count: list them in CUDA_VISIBLE_DEVICES to use them.
    """
    if device == "cpu":
        return []
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        n_gpus = sum(line.startswith("GPU ") for line in nvidia_smi.splitlines())
        return [str(number) for number in range(n_gpus)]
    names = [name.strip() for name in visible.split(",")]
    return [] if "" in names or "-1" in names else names


def find_slots(jobs: int | None, section: HardwareSection) -> list[Slot]:
    """Return the slots of this machine for trainings.

    Args:
        jobs: Requested number of slots; None: as many as fit.
        section: The hardware section of params.yaml.

    Raises:
        InputError: If the number of jobs does not suit this machine.
    """
    output = ""
    if section.device != "cpu" and shutil.which("nvidia-smi"):
        # It fails if there is a driver but no GPU: its output then lists none.
        command = ["nvidia-smi", "-L"]
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    gpus = visible_gpus(section.device, os.environ, output)
    return allocate_slots(jobs, section.threads, count_cores(), gpus)


def fit_memory(
    stages: Sequence[str], slots: Sequence[Slot], batch_size: int, *, requested: bool
) -> tuple[Sequence[Slot], str]:
    """Return the slots for trainings of these stages, and how many run at a time and why.

    A requested number stays, because a prediction may be wrong; the text says that it may not fit.

    Args:
        stages: At least one; their architectures are built.
        slots: Of this machine, at least one. With GPUs, all remain: networks are in their memory.
        batch_size: Images per step.
        requested: Whether the user gave the number of slots.
    """
    available = available_memory_bytes()
    needs = [read_card(CARDS / stage.partition("@")[2].split("-")[0]).memory for stage in stages]
    text = f"{len(slots)} at a time"
    if slots[0] or available is None:
        return slots, text
    own = [n.with_batches_of(batch_size) - n.process_bytes + OWN_BYTES for n in needs]
    # Any of them may run at once.
    largest = accumulate(sorted(own, reverse=True), initial=needs[0].process_bytes)
    totals = list(largest)[1 : len(slots) + 1]
    fit = max(1, sum(total <= available for total in totals))
    if fit == len(totals):
        return slots, text
    need = f"need {totals[-1] / GIGABYTE:.1f} GB of memory, and {available / GIGABYTE:.1f} GB are"
    if requested:
        return slots, f"{text}: they may {need} available; if some are killed, use --jobs {fit}"
    return slots[:fit], f"{fit} at a time, because {len(totals)} may {need} available"


def run_local(stages: Sequence[str], slots: Sequence[Slot], pipeline: Pipeline) -> dict[str, str]:
    """Run stages, one in each slot at a time; a failure stops no other stage.

    If interrupted, it ends the running stages before it raises. If killed, they end by themselves.

    Args:
        stages: Train stages whose dependencies are up to date.
        slots: At least one slot.
        pipeline: Runs the stages.

    Returns:
        Error of each stage that failed.

    Raises:
        OSError: If a log cannot be written.
    """
    with ParallelProgress(stages) as progress:
        backend = _LocalBackend(deque(stages), pipeline, progress)
        try:
            asyncio.run(backend.run(slots))
        except ExceptionGroup as errors:  # such as a full disk
            raise errors.exceptions[0] from None
    return progress.failures


@dataclass(frozen=True)
class _LocalBackend:
    """State that all slots share.

    Attributes:
        waiting: Stages that no slot has taken yet.
        pipeline: Runs the stages.
        progress: Receives all events.
    """

    waiting: deque[str]
    pipeline: Pipeline
    progress: ParallelProgress

    async def run(self, slots: Sequence[Slot]) -> None:
        async with asyncio.TaskGroup() as group:
            for slot in slots:
                group.create_task(self._run_slot(slot))

    async def _run_slot(self, slot: Slot) -> None:
        while self.waiting:
            stage = self.waiting.popleft()
            self.progress.started(stage)
            self.progress.ended(stage, await self._run_stage(stage, slot))

    async def _run_stage(self, stage: str, slot: Slot) -> str | None:
        """Run one stage with its log in a file; return its error, if it failed."""
        log = log_path(stage)
        args = ("repro", "--single-item", stage)
        ours, theirs = socket.socketpair()
        lines, output = await asyncio.open_connection(sock=ours)
        with closing(output):
            try:
                with theirs:
                    streams = theirs.fileno(), theirs.fileno()
                    connection = self.pipeline.start(args, *streams, slot)
            except InputError as error:  # no other stage could start
                self.waiting.clear()
                return str(error)
            reply, request = await asyncio.open_connection(sock=connection)
            with closing(request), suppress(ConnectionError):
                try:
                    await self._copy_lines(lines, log, stage)
                except BaseException:
                    request.write_eof()  # ends the stage
                    raise
                finally:
                    message = await reply.read()
                if parse_status(message) == 0:
                    return None
        return failure_reason(log)

    async def _copy_lines(self, output: asyncio.StreamReader, log: Path, stage: str) -> None:
        rest = b""
        with log.open("wb") as file:
            while chunk := await output.read(CHUNK_BYTES):
                file.write(chunk)
                file.flush()
                *lines, rest = re.split(rb"[\r\n]", rest + chunk)  # also of a progress bar
                rest = rest[:MAX_LINE_BYTES]
                for line in lines:
                    self.progress.printed(stage, line.decode(errors="replace").rstrip())
