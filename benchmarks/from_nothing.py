"""From nothing to the result: `foldwise run` with an empty cache against a plain PyTorch script."""

import argparse
import gzip
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from benchmarks.parallel import Seconds
from benchmarks.workspace import Workspace, clone
from foldwise.files.base import Strict

CASES = (("lenet5", 10_000), ("slim_vgg", 3_000))  # FashionMNIST; 5 folds of 2 epochs
EPOCHS, THREADS = 2, 2
TEXT = """## From nothing to the result

Whole processes that take turns, on FashionMNIST: 5 folds of {epochs} epochs with {threads} threads.
`foldwise run` begins with an empty cache and ends with the report. A plain PyTorch script
(torchvision's data set and transforms, DataLoader, AdamW, one cycle) prints five accuracies; it has
its best number of DataLoader processes (in brackets). The ratio is the median of the ratios within
each repetition.
"""


class FromNothing(Strict):
    """Seconds of whole processes for one network; both take turns."""

    model: str
    images: int
    foldwise: list[Seconds]
    plain: list[Seconds]
    workers: int  # DataLoader processes of the script

    @property
    def ratio(self) -> float:
        """Median ratio of times, Foldwise / plain."""
        return median(a / b for a, b in zip(self.foldwise, self.plain, strict=True))


class Cases(Strict):
    """All cases."""

    cases: list[FromNothing]


def from_nothing(root: Path, folder: Path, repetitions: int) -> list[FromNothing]:
    """Return the times of all cases.

    Args:
        root: Holds the four .gz files of FashionMNIST.
        folder: For a clone of this repository and the unpacked files.
        repetitions: Of both.
    """
    workspace, unpacked = clone(folder / "clone"), _unpack(root, folder)
    return [_measure(workspace, root.resolve(), unpacked, case, repetitions) for case in CASES]


def _measure(
    workspace: Workspace, root: Path, unpacked: Path, case: tuple[str, int], repetitions: int
) -> FromNothing:
    model, images = case
    workspace.set(
        {
            "model": model,
            "candidates": [model] * 3,
            "prepare": {"dataset": "FashionMNIST", "root": str(root), "limit": images},
            "train": {"epochs": EPOCHS},
            "hardware": {"threads": THREADS},
        }
    )
    by_workers = {n: [_plain(unpacked, case, n)] for n in (0, os.cpu_count() or 1)}
    workers = min(by_workers, key=lambda n: by_workers[n][0])
    ours, theirs = [], []
    for _ in range(repetitions):
        workspace.clear()
        ours.append(workspace.run())
        theirs.append(_plain(unpacked, case, workers))
    return FromNothing(model=model, images=images, foldwise=ours, plain=theirs, workers=workers)


def _plain(root: Path, case: tuple[str, int], workers: int) -> float:
    command = [sys.executable, "-m", "benchmarks.contestants.from_files", "--root", str(root)]
    command += ["--model", case[0], "--images", str(case[1]), "--epochs", str(EPOCHS)]
    command += ["--threads", str(THREADS), "--workers", str(workers)]
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def _unpack(root: Path, folder: Path) -> Path:
    """Return a root with the files as torchvision lays them out."""
    target = folder / "unpacked"
    raw = target / "FashionMNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for path in root.glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    return target


def section(cases: Iterable[FromNothing]) -> str:
    """Return the section of the page in Markdown."""
    lines = [
        TEXT.format(epochs=EPOCHS, threads=THREADS),
        "| network | images | foldwise run | plain script | ratio |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for case in cases:
        plain = f"{median(case.plain):.1f} s ({case.workers})"
        lines.append(
            f"| {case.model} | {case.images:,} | {median(case.foldwise):.1f} s | {plain} "
            f"| {case.ratio:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print only this section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, default=3)
    args = parser.parse_args()
    cases = from_nothing(args.root, args.folder, args.repetitions)
    print(section(cases), *cases, sep="\n")


if __name__ == "__main__":
    main()
