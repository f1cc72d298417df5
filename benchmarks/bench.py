"""All measurements; results of an earlier, interrupted run are read from their files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.by_images import ByImages, by_images
from benchmarks.by_workers import ByWorkers, by_workers
from benchmarks.case import Case, make
from benchmarks.from_nothing import Cases, FromNothing, from_nothing
from benchmarks.growth import Growth, growth
from benchmarks.parallel import Parallel, parallel
from benchmarks.peak import Share, shares
from benchmarks.race import Precision, Race, race
from benchmarks.start import Start, start
from benchmarks.workspace import clone
from foldwise.files.base import Strict, read_json, write_json

Result = TypeVar("Result", bound=Strict)
STEADY_SECONDS = 5.0  # of training steps, for each measurement of the peak


@dataclass(frozen=True)
class Bench:
    """Settings of a benchmark, and one method for each measurement.

    Attributes:
        params: params.yaml.
        folder: Intermediate files and results.
        repetitions: Repetitions of each measurement.
        precisions: Precisions of Foldwise in the races.
        tell: Receives a line for each run.
    """

    params: Path
    folder: Path
    repetitions: int
    precisions: list[Precision]
    tell: Callable[[str], None]

    def from_nothing(self, data: Path) -> list[FromNothing]:
        """Return the times from the files to the result; empty without FashionMNIST."""
        root = data / "fashion-mnist"
        if not root.is_dir():
            return []

        def run() -> Cases:
            return Cases(cases=from_nothing(root, self.folder / "from_nothing", self.repetitions))

        return self._cached("from-nothing", Cases, run).cases

    def start(self, case: Case) -> Start:
        """Return the overhead of a fold."""
        return self._cached(
            f"start-{case.name}",
            Start,
            lambda: start(self._prepared(case), case.model, self.repetitions),
        )

    def share(self, case: Case) -> Share:
        """Return the share of the machine's peak performance that training a network reaches."""
        return self._cached(
            f"share-{case.name}",
            Share,
            lambda: shares(self._prepared(case), self.repetitions, STEADY_SECONDS),
        )

    def race(self, case: Case) -> Race:
        """Return the times of all contestants for the folds of a case."""

        def run() -> Race:
            return race(case, self._prepared(case), self.precisions, self.repetitions, self.tell)

        return self._cached(f"race-{case.name}", Race, run)

    def parallel(self, model: str, cores: int) -> Parallel:
        """Return the times of five folds in parallel and one after another."""

        def run() -> Parallel:
            return parallel(clone(self.folder / "parallel"), model, cores, self.repetitions)

        return self._cached(f"parallel-{model}", Parallel, run)

    def by_images(self, cases: list[Case]) -> ByImages:
        """Return the times of the stages for several numbers of images."""
        return self._cached(
            f"images-{cases[0].name}",
            ByImages,
            lambda: by_images(cases, self.params, self.folder),
        )

    def by_workers(self, cores: int) -> ByWorkers:
        """Return the times for several numbers of workers."""

        def run() -> ByWorkers:
            folder = self.folder / "workers"
            return by_workers(clone(folder / "clone"), cores, self.repetitions, folder)

        return self._cached("workers", ByWorkers, run)

    def growth(self, cores: int) -> Growth:
        """Return the overhead of DVC for several numbers of trainings."""
        return self._cached("growth", Growth, lambda: growth(clone(self.folder / "growth"), cores))

    def _prepared(self, case: Case) -> Path:
        return make(case, self.params, self.folder)

    def _cached(self, name: str, schema: type[Result], measure: Callable[[], Result]) -> Result:
        path = self.folder / "results" / f"{name}.json"
        if not path.is_file():
            self.tell(f"{name} ...")
            write_json(path, measure())
        return read_json(path, schema)
