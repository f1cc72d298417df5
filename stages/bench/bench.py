"""One benchmark: what an earlier, interrupted run has measured is not measured again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from stages.bench.case import Case, make
from stages.bench.peak import Share, shares
from stages.bench.race import Precision, Race, race
from stages.bench.start import Start, start
from stages.contracts.json_file import read_json, write_json
from stages.contracts.strict import Strict

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
            "start", case, Start, lambda: start(self._made(case), case.model, self.repetitions)
        )

    def share(self, case: Case) -> Share:
        """Return the share of the machine's peak that the network of a case reaches."""
        return self._kept(
            "share", case, Share, lambda: shares(self._made(case), self.repetitions, STEADY)
        )

    def race(self, case: Case) -> Race:
        """Return how long everyone takes to train the folds of a case."""

        def run() -> Race:
            return race(case, self._made(case), self.ours, self.repetitions, self.tell)

        return self._kept("race", case, Race, run)

    def _made(self, case: Case) -> Path:
        return make(case, self.params, self.folder)

    def _kept(
        self, kind: str, case: Case, schema: type[Result], measure: Callable[[], Result]
    ) -> Result:
        path = self.folder / "results" / f"{kind}-{case.name}.json"
        if not path.is_file():
            self.tell(f"{kind} of {case.name} ...")
            write_json(path, measure())
        return read_json(path, schema)
