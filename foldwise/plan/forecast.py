"""From the measured speed of each network to the seconds of a whole comparison."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from foldwise.core.errors import counted
from foldwise.data.folds import training_steps
from foldwise.files.forecast import MINUTE, Forecast, RunForecast, format_duration
from foldwise.files.params import Params
from foldwise.files.tuning import N_RATES, SMALLER_BATCH, n_tuning_steps

# Of a process, whatever its network. Measured on two cores: 1.8 to 2.0 s to start and end Python,
# most of it for torch; .2 to .3 s more for the first step; .2 to .4 s for DVC.
START_SECONDS = 2.5
LONG_SECONDS = 30 * MINUTE  # from here on, the forecast says what would make it shorter


@dataclass(frozen=True)
class Throughput:
    """The speed of one network on this machine, in images per second.

    Attributes:
        training: By the first epoch (counted from 1) for which it holds: unfreezing slows it down.
        evaluation: Of images without augmentation.
        extraction: Of the frozen backbone; infinite where no features are cached.
        passes: Passes of the extraction over the images: plain and each augmented view; else 0.
        tunes: Whether short trainings find the learning rate.
    """

    training: dict[int, float]
    evaluation: float
    extraction: float = math.inf
    passes: int = 0
    tunes: bool = False

    def extract_seconds(self, n_images: int) -> float:
        """Return the seconds of the extraction, once for all folds and repeats."""
        if not self.passes:
            return 0.0
        return START_SECONDS + self.passes * n_images / self.extraction

    def tune_seconds(self, n_images: int, n_folds: int, epochs: int, batch_size: int) -> float:
        """Return the seconds of the trainings that find the learning rate, once for all folds.

        Args:
            n_images: Of all folds together.
            n_folds: k.
            epochs: Of the training of a fold.
            batch_size: Images per step.
        """
        if not self.tunes:
            return 0.0
        n_train = n_images - n_images // n_folds
        steps = n_tuning_steps(training_steps(n_train, epochs, batch_size), n_folds)
        seconds = steps * min(batch_size, n_train) / SMALLER_BATCH / self._speed_at(epochs)
        return START_SECONDS + N_RATES * (seconds + n_images / n_folds / self.evaluation)

    def fold_seconds(self, n_images: int, n_folds: int, epochs: int) -> float:
        """Return the seconds of one fold, including the start of its process.

        Args:
            n_images: Of all folds together.
            n_folds: k.
            epochs: Of training.
        """
        n_validation = n_images / n_folds
        n_train = n_images - n_validation
        n_evaluated = n_validation + min(n_validation, n_train)  # and as many training images
        train_seconds = sum(n_train / self._speed_at(epoch) for epoch in range(1, epochs + 1))
        return START_SECONDS + train_seconds + epochs * n_evaluated / self.evaluation

    def _speed_at(self, epoch: int) -> float:
        return self.training[max(start for start in self.training if start <= epoch)]


def forecast_runs(params: Params, throughputs: Mapping[str, Throughput], n_images: int) -> Forecast:
    """Return the seconds of every run, in the order in which DVC trains them.

    In a race, the first folds of all come first; and the model under test comes before the others.

    Args:
        params: The runs, epochs, batch size, and whether there is a race.
        throughputs: By model.
        n_images: Of all folds together.
    """
    n_folds, epochs, batch_size = len(params.folds), params.train.epochs, params.train.batch_size
    first = (params.repeats[0], params.folds[0]) if params.compare.race else None
    runs = sorted(params.runs, key=lambda run: (run[1:] != first, run[0] != params.model))
    fold_seconds = {
        model: round(speed.fold_seconds(n_images, n_folds, epochs), 1)
        for model, speed in throughputs.items()
    }
    return Forecast(
        runs=[
            RunForecast(model=model, repeat=repeat, fold=fold, seconds=fold_seconds[model])
            for model, repeat, fold in runs
        ],
        extract_seconds={
            model: round(speed.extract_seconds(n_images), 1) for model, speed in throughputs.items()
        },
        tune_seconds={
            model: round(speed.tune_seconds(n_images, n_folds, epochs, batch_size), 1)
            for model, speed in throughputs.items()
        },
    )


def forecast_lines(forecast: Forecast) -> Iterator[str]:
    """Yield a line per architecture, the slowest first; for a long one, how to shorten it."""
    width = max(map(len, forecast.models))
    slowest_first = sorted(forecast.models, key=forecast.of, reverse=True)
    for model in slowest_first:
        folds = [run.seconds for run in forecast.runs if run.model == model]
        parts = f"{len(folds)} folds of {format_duration(folds[0])}"
        if extract := forecast.extract_seconds[model]:
            parts += f", and {format_duration(extract)} once for features of frozen layers"
        if tune := forecast.tune_seconds[model]:
            parts += f", {format_duration(tune)} for its learning rate"
        yield f"{model:{width}}  about {format_duration(forecast.of(model))} ({parts})"
    if forecast.seconds < LONG_SECONDS:
        return
    yield "to shorten it in proportion: fewer train.epochs, or fewer images with prepare.limit"
    if len(slowest_first) > 1:
        remaining = format_duration(forecast.seconds - forecast.of(slowest_first[0]))
        yield f"without {slowest_first[0]}: about {remaining}"


def total_line(forecast: Forecast, *, races: bool) -> str:
    """Return the size of the comparison and its duration, on one line.

    Args:
        forecast: Of all trainings.
        races: Whether some of them may be left out.
    """
    n_models, n_runs = len(forecast.models), len(forecast.runs)
    about = "at most" if races else "about"
    return (
        f"{counted(n_models, 'architecture')} × {n_runs // n_models} folds, {about} "
        f"{format_duration(forecast.seconds)} in all if nothing is cached"
    )
