"""What is trained in a race: the same for all who take part."""

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
        data: As in prepare.dataset.
        root: As in prepare.root.
        shown: What the data set is called on the page.
        model: Name of the architecture.
        images: Training images to take.
        epochs: Of each fold.
        shift: As in augment.shift.
    """

    data: str
    root: Path
    shown: str
    model: str
    images: int
    epochs: int
    shift: float

    @property
    def name(self) -> str:
        """A name for files."""
        return f"{self.shown}-{self.model}-{self.images}-{self.epochs}".lower()

    def overrides(self) -> dict[str, Any]:
        """Return what params.yaml gets."""
        return {
            "folds": list(range(FOLDS)),
            "repeats": [REPEAT],
            "prepare": {"dataset": self.data, "root": str(self.root), "limit": self.images},
            "augment": {"shift": self.shift, "flip": 0.5},
            "train": {"epochs": self.epochs},
        }


def make(case: Case, params: Path, folder: Path) -> Path:
    """Make the files that training reads, by the stages themselves, and return their folder.

    What is there already stays.

    Args:
        case: What to train.
        params: params.yaml, from which the case differs in a few keys.
        folder: Of all cases.

    Raises:
        subprocess.CalledProcessError: If a stage fails; its line is on stderr.
    """
    own = folder / case.name
    if not (own / "network").is_dir():
        for command in commands(case, open_folder(case, params, folder)).values():
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return own


def open_folder(case: Case, params: Path, folder: Path) -> Path:
    """Return the folder of a case, with its params.yaml in it and nothing made yet.

    Args:
        case: What to train.
        params: params.yaml, from which the case differs in a few keys.
        folder: Of all cases.
    """
    own = folder / case.name
    own.mkdir(parents=True, exist_ok=True)
    write_settings(params, case.overrides(), own / "params.yaml")
    return own


def commands(case: Case, own: Path) -> dict[str, list[str]]:
    """Return the command of each stage up to training, by its name, in their order.

    Args:
        case: What to train.
        own: Its folder, with params.yaml.
    """
    params, data = ["--params", f"{own / 'params.yaml'}"], ["--dataset", f"{own / 'prepared'}"]
    repeat, split = ["--repeat", str(REPEAT)], ["--split", f"{own / 'split'}"]
    recipe = ["--recipe", f"{own / 'recipe'}", "--sheets", f"{own / 'sheets'}"]
    network = ["--network", f"{own / 'network'}", "--summary", f"{own / 'summary'}"]
    flags = {
        "prepare": [*params, "--output", data[1]],
        "split": [*params, *data, *repeat, "--output", split[1]],
        "augment": [*params, *data, *split, *repeat, *recipe],
        "build": [*params, *data, "--model", case.model, *network],
    }
    return {name: [sys.executable, "-m", f"stages.{name}", *own] for name, own in flags.items()}
