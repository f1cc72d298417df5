"""A case: data set, network and training budget, equal for all contestants."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.settings import write_settings

FOLDS = 5
REPEAT = 0


@dataclass(frozen=True)
class Case:
    """A data set, a network and a budget.

    Attributes:
        data: prepare.dataset.
        root: prepare.root.
        title: Name of the data set on the page.
        model: Name of the architecture.
        images: Number of training images.
        epochs: Epochs of each fold.
        shift: augment.shift.
    """

    data: str
    root: Path
    title: str
    model: str
    images: int
    epochs: int
    shift: float

    @property
    def name(self) -> str:
        """Name of the case in file names."""
        return f"{self.title}-{self.model}-{self.images}-{self.epochs}".lower()

    def settings(self) -> dict[str, Any]:
        """Return the changes to params.yaml."""
        return {
            "folds": list(range(FOLDS)),
            "repeats": [REPEAT],
            "prepare": {"dataset": self.data, "root": str(self.root), "limit": self.images},
            "augment": {"shift": self.shift, "flip": 0.5},
            "train": {"epochs": self.epochs},
        }


def make(case: Case, params: Path, folder: Path) -> Path:
    """Return the folder with the files that training reads, made by the stages if missing.

    Args:
        case: The case.
        params: params.yaml; the case changes a few keys.
        folder: Folder of all cases.

    Raises:
        subprocess.CalledProcessError: If a stage fails; its error is on stderr.
    """
    case_folder = folder / case.name
    if not (case_folder / "network").is_dir():
        for command in commands(case, open_folder(case, params, folder)).values():
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return case_folder


def open_folder(case: Case, params: Path, folder: Path) -> Path:
    """Return the folder of a case, with its params.yaml.

    Args:
        case: The case.
        params: params.yaml; the case changes a few keys.
        folder: Folder of all cases.
    """
    case_folder = folder / case.name
    case_folder.mkdir(parents=True, exist_ok=True)
    write_settings(params, case.settings(), case_folder / "params.yaml")
    return case_folder


def commands(case: Case, case_folder: Path) -> dict[str, list[str]]:
    """Return the command of each stage before training, in order.

    Args:
        case: The case.
        case_folder: Its folder, with params.yaml.
    """
    params, data = (
        ["--params", f"{case_folder / 'params.yaml'}"],
        ["--dataset", f"{case_folder / 'prepared'}"],
    )
    repeat, split = ["--repeat", str(REPEAT)], ["--split", f"{case_folder / 'split'}"]
    recipe = ["--recipe", f"{case_folder / 'recipe'}", "--sheets", f"{case_folder / 'sheets'}"]
    network = ["--network", f"{case_folder / 'network'}", "--summary", f"{case_folder / 'summary'}"]
    latency = ["--latency", f"{case_folder / 'latency.json'}"]
    flags = {
        "prepare": [*params, "--output", data[1]],
        "split": [*params, *data, *repeat, "--output", split[1]],
        "augment": [*params, *data, *split, *repeat, *recipe],
        "build": [*params, *data, "--model", case.model, *network, *latency],
    }
    return {name: [sys.executable, "-m", f"stages.{name}", *args] for name, args in flags.items()}
