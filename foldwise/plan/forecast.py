"""The forecast of a whole comparison, from the pace of each architecture."""

from collections.abc import Iterator, Mapping, Sequence

from foldwise.files.forecast import MINUTE, Forecast, RunForecast, format_duration
from foldwise.plan.throughput import Throughput

Place = tuple[str, int, int]  # model, repeat and fold


def forecast_runs(
    plan: Sequence[Place], paces: Mapping[str, Throughput], n_images: int, n_folds: int, epochs: int
) -> Forecast:
    """Return the seconds of every run in the order of the plan.

    Args:
        plan: Every run, in the order in which they train.
        paces: By model.
        n_images: Of the data set, all folds together.
        n_folds: k.
        epochs: Of training.
    """
    folds = {name: one.fold_seconds(n_images, n_folds, epochs) for name, one in paces.items()}
    return Forecast(
        runs=[
            RunForecast(model=model, repeat=repeat, fold=fold, seconds=round(folds[model], 1))
            for model, repeat, fold in plan
        ],
        extract_seconds={
            name: round(one.extract_seconds(n_images), 1) for name, one in paces.items()
        },
    )


LONG = 30 * MINUTE  # seconds, from which one would rather know what makes it shorter


def forecast_lines(forecast: Forecast) -> Iterator[str]:
    """Yield a line an architecture, the slowest first."""
    wide = max(map(len, forecast.models))
    for model in slowest_first(forecast):
        folds = [run.seconds for run in forecast.runs if run.model == model]
        said = f"{len(folds)} folds of {format_duration(folds[0])}"
        extract = forecast.extract_seconds[model]
        once = f", once {format_duration(extract)} for what never trains" if extract else ""
        yield f"{model:{wide}}  about {format_duration(forecast.of(model))} ({said}{once})"


def total_line(forecast: Forecast) -> str:
    """Return the size of the comparison and what it takes, on one line."""
    n_models, n_runs = len(forecast.models), len(forecast.runs)
    plural = "" if n_models == 1 else "s"
    return (
        f"{n_models} architecture{plural} × {n_runs // n_models} folds, about "
        f"{format_duration(forecast.seconds)} in all if nothing is cached"
    )


def shortcut_lines(forecast: Forecast) -> Iterator[str]:
    """Yield what makes a long comparison shorter; nothing of a short one."""
    if forecast.seconds < LONG:
        return
    yield "shorter, in proportion: fewer train.epochs, or fewer images with prepare.limit"
    slowest, *others = slowest_first(forecast)
    if others:
        left = format_duration(forecast.seconds - forecast.of(slowest))
        yield f"shorter: without {slowest}, about {left}"


def slowest_first(forecast: Forecast) -> list[str]:
    """Return the architectures by the time that they take; of equals the first in the plan."""
    return sorted(forecast.models, key=forecast.of, reverse=True)
