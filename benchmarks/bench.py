"""One benchmark: what an earlier, interrupted run has measured is not measured again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.by_images import ByImages, by_images
from benchmarks.by_workers import ByWorkers, by_workers
from benchmarks.case import Case, make
from benchmarks.growth import Growth, growth
from benchmarks.peak import Share, shares
from benchmarks.race import Precision, Race, race
from benchmarks.start import Start, start
from benchmarks.together import Together, together
from benchmarks.workspace import clone
from foldwise.files.base import Strict, read_json, write_json

Result = TypeVar("Result", bound=Strict)
STEADY = 5.0  # seconds of training, each time a share of the peak is taken


@dataclass(frozen=True)
class Bench:
    """How to measure, and where to keep it.

    Attributes:
        params: params.yaml.
        folder: Of what is made meanwhile, and of the results.
        repetitions: Of everything.
        ours: Precisions of Foldwise in the races.
        tell: Who is told of each run.
    """

    params: Path
    folder: Path
    repetitions: int
    ours: list[Precision]
    tell: Callable[[str], None]

    def start(self, case: Case) -> Start:
        """Return what a fold costs beside its training."""
        return self._kept(
            f"start-{case.name}",
            Start,
            lambda: start(self._made(case), case.model, self.repetitions),
        )

    def share(self, case: Case) -> Share:
        """Return the share of the machine's peak that the network of a case reaches."""
        return self._kept(
            f"share-{case.name}",
            Share,
            lambda: shares(self._made(case), self.repetitions, STEADY),
        )

    def race(self, case: Case) -> Race:
        """Return how long everyone takes to train the folds of a case."""

        def run() -> Race:
            return race(case, self._made(case), self.ours, self.repetitions, self.tell)

        return self._kept(f"race-{case.name}", Race, run)

    def together(self, model: str, cores: int) -> Together:
        """Return how long five folds take side by side, and one after another."""

        def run() -> Together:
            return together(clone(self.folder / "together"), model, cores, self.repetitions)

        return self._kept(f"together-{model}", Together, run)

    def by_images(self, cases: list[Case]) -> ByImages:
        """Return what the stages take by the number of images."""
        return self._kept(
            f"images-{cases[0].name}",
            ByImages,
            lambda: by_images(cases, self.params, self.folder),
        )

    def by_workers(self, cores: int) -> ByWorkers:
        """Return how the time falls with the number of workers."""

        def run() -> ByWorkers:
            folder = self.folder / "workers"
            return by_workers(clone(folder / "clone"), cores, self.repetitions, folder)

        return self._kept("workers", ByWorkers, run)

    def growth(self, cores: int) -> Growth:
        """Return what DVC costs by the number of trainings."""
        return self._kept("growth", Growth, lambda: growth(clone(self.folder / "growth"), cores))

    def _made(self, case: Case) -> Path:
        return make(case, self.params, self.folder)

    def _kept(self, name: str, schema: type[Result], measure: Callable[[], Result]) -> Result:
        path = self.folder / "results" / f"{name}.json"
        if not path.is_file():
            self.tell(f"{name} ...")
            write_json(path, measure())
        return read_json(path, schema)
