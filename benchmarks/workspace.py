"""A clone of this repository in which the pipeline runs as for a user."""

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.settings import write_settings

# Folds so small that the overhead dominates.
SMALL: dict[str, Any] = {
    "model": "lenet5",
    "candidates": ["lenet5", "lenet5", "lenet5"],
    "prepare": {"limit": 60},
    "train": {"epochs": 1},
    "hardware": {"threads": 1},
    "forecast": {"seconds": 0.05},
}


@dataclass(frozen=True)
class Workspace:
    """The clone.

    Attributes:
        path: Root of the clone.
    """

    path: Path

    def set(self, values: dict[str, Any]) -> None:
        """Merge values into params.yaml."""
        path = self.path / "params.yaml"
        write_settings(path, values, path)

    def repro(self, *targets: str) -> float:
        """Return the seconds of `dvc repro`."""
        return self._run("-m", "dvc", "repro", *targets)

    def run(self) -> float:
        """Return the seconds of `foldwise run`."""
        return self._run("-m", "foldwise.cli.main", "run")

    def clear(self) -> None:
        """Remove all results and the cache."""
        command = ["git", "clean", "-fdxq", "data", "reports", ".dvc/cache"]
        subprocess.run(command, cwd=self.path, check=True)
        (self.path / "dvc.lock").unlink(missing_ok=True)
        shutil.rmtree(self.path / "reports/folds", ignore_errors=True)

    def run_parallel(self, jobs: int) -> float:
        """Return the seconds of `foldwise run` with parallel trainings."""
        return self._run("-m", "foldwise.cli.main", "run", "--jobs", str(jobs))

    def share(self, remote: Path) -> None:
        """Add a DVC remote in a folder, for a cluster."""
        self._run("-m", "dvc", "remote", "add", "--default", "--force", "store", str(remote))

    def on_cluster(self, address: str) -> float:
        """Return the seconds of `foldwise run` on a Ray cluster."""
        return self._run("-m", "foldwise.cli.main", "run", "--address", address)

    def _run(self, *words: str) -> float:
        """Run Python in the clone.

        Raises:
            ChildProcessError: If it fails.
        """
        begin = time.perf_counter()
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=self.path, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ChildProcessError(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return time.perf_counter() - begin


def clone(path: Path) -> Workspace:
    """Return a clone of the current repository at its last commit.

    Args:
        path: Folder of the clone; an existing one is used again.
    """
    if not path.is_dir():
        subprocess.run(["git", "clone", "--quiet", ".", str(path)], check=True)
        site = (path / ".dvc" / "tmp" / "site").resolve()
        private = f'[core]\n    site_cache_dir = "{site}"\n'
        (path / ".dvc" / "config.local").write_text(private, encoding="utf-8")
    return Workspace(path)
