"""data/forecast: predicted training times of this machine; no result depends on them."""

from pathlib import Path

from foldwise.files.base import Count, NonNegative, Strict, read_json, write_json

MINUTE, HOUR = 60, 3600  # seconds


class RunForecast(Strict):
    """Predicted time of one training."""

    model: str
    repeat: Count
    fold: Count
    seconds: NonNegative  # including the start of its process


class Forecast(Strict):
    """minutes.json: predicted times of all trainings, as if nothing were cached."""

    runs: list[RunForecast]  # in the order in which DVC trains them
    # By architecture, once for all its runs; 0: no features are cached.
    extract_seconds: dict[str, NonNegative]
    tune_seconds: dict[str, NonNegative]  # likewise; 0: params.yaml has the learning rate

    @property
    def models(self) -> list[str]:
        """The architectures, in the order in which they train."""
        return list(dict.fromkeys(run.model for run in self.runs))

    @property
    def seconds(self) -> float:
        """Time of the whole comparison."""
        return sum(map(self.of, self.models))

    def of(self, model: str) -> float:
        """Return the seconds of one architecture, over all its folds and repeats."""
        runs = sum(run.seconds for run in self.runs if run.model == model)
        return runs + self.extract_seconds.get(model, 0.0) + self.tune_seconds.get(model, 0.0)

    def after(self, model: str, repeat: int, fold: int) -> float | None:
        """Return the seconds of all runs after this one; None if unknown."""
        places = [(run.model, run.repeat, run.fold) for run in self.runs]
        if (model, repeat, fold) not in places:
            return None
        return sum(run.seconds for run in self.runs[places.index((model, repeat, fold)) + 1 :])


def write_forecast(folder: Path, forecast: Forecast) -> None:
    """Write minutes.json, and ready.json, which is always the same.

    Training depends only on ready.json, so that another timing retrains nothing.
    """
    write_json(folder / "minutes.json", forecast)
    write_json(folder / "ready.json", {"ready": True})


def read_forecast(path: Path) -> Forecast:
    """Read minutes.json.

    Raises:
        InputError: If it is missing or not of this schema.
    """
    return read_json(path, Forecast)


def format_duration(seconds: float) -> str:
    """Return a duration in words: "45 s", "2 min 20 s", "12 min", "1 h 05 min"."""
    rounded = round(seconds)
    if rounded < MINUTE:
        return f"{rounded} s"
    minutes, rest = divmod(rounded, MINUTE)
    if rounded < 10 * MINUTE:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    minutes = round(seconds / MINUTE)
    if minutes < HOUR // MINUTE:
        return f"{minutes} min"
    return f"{minutes // MINUTE} h {minutes % MINUTE:02d} min"
