"""The forecast as one reads it before training begins."""

from collections.abc import Iterator

from stages.contracts.forecast import MINUTE, Forecast, in_words

LONG = 30 * MINUTE  # seconds, from which one would rather know what makes it shorter


def table(forecast: Forecast) -> Iterator[str]:
    """Yield a line an architecture, the slowest first."""
    wide = max(map(len, forecast.models))
    for model in slowest_first(forecast):
        folds = [run.seconds for run in forecast.runs if run.model == model]
        said = f"{len(folds)} folds of {in_words(folds[0])}"
        extract = forecast.extract_seconds[model]
        once = f", once {in_words(extract)} for what never trains" if extract else ""
        yield f"{model:{wide}}  about {in_words(forecast.of(model))} ({said}{once})"


def total(forecast: Forecast) -> str:
    """Return the size of the comparison and what it takes, on one line."""
    n_models, n_runs = len(forecast.models), len(forecast.runs)
    plural = "" if n_models == 1 else "s"
    return (
        f"{n_models} architecture{plural} × {n_runs // n_models} folds, about "
        f"{in_words(forecast.seconds)} in all if nothing is cached"
    )


def shortcuts(forecast: Forecast) -> Iterator[str]:
    """Yield what makes a long comparison shorter; nothing of a short one."""
    if forecast.seconds < LONG:
        return
    yield "shorter, in proportion: fewer train.epochs, or fewer images with prepare.limit"
    slowest, *others = slowest_first(forecast)
    if others:
        left = in_words(forecast.seconds - forecast.of(slowest))
        yield f"shorter: without {slowest}, about {left}"


def slowest_first(forecast: Forecast) -> list[str]:
    """Return the architectures by the time that they take; of equals the first in the plan."""
    return sorted(forecast.models, key=forecast.of, reverse=True)
