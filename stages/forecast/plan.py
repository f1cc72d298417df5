"""The forecast of a whole comparison, from the pace of each architecture."""

from collections.abc import Mapping, Sequence

from stages.contracts.forecast import Forecast, RunForecast
from stages.forecast.pace import Pace

Place = tuple[str, int, int]  # model, repeat and fold


def foresee(
    plan: Sequence[Place], paces: Mapping[str, Pace], n_images: int, n_folds: int, epochs: int
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
