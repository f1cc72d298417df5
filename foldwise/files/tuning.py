"""The learning rate of an architecture: data/tuned/NAME.json, reports/tuning/NAME.json."""

from pathlib import Path

from foldwise.files.base import Count, NonNegative, Positive, Share, Strict, read_json, write_json
from foldwise.files.network import Network
from foldwise.files.params import TrainSection

FIRST = (1 / 4, 1, 4)  # times the common rate
REFINED = 2  # factor from the best of these to the last rate
N_RATES = len(FIRST) + 1
SMALLER_BATCH = 2  # divides the batch size: twice the steps with the same images
SHARE = 0.16  # of the images of all folds of a repeat, in all short trainings together
MIN_STEPS = 64  # with fewer, many networks have learned nothing at any rate


class TriedRate(Strict):
    """A short training at one learning rate."""

    learning_rate: Positive  # peak
    # Mean log loss of the images that score it, temperature-scaled, in nats; None: diverged.
    loss: NonNegative | None
    # Of the difference of that loss from the lowest one, paired by image; 0 for the lowest.
    standard_error: NonNegative | None
    accuracy: Share | None


class Tuning(Strict):
    """reports/tuning/NAME.json: the learning rate of an architecture, and how it was found."""

    learning_rate: Positive  # peak of the cycle, of the heads where the body has another
    source: str  # where it comes from, in words
    steps: Count  # of each short training; 0: none was needed
    n_images: Count  # that score them
    tried: list[TriedRate]  # lowest rate first

    @property
    def text(self) -> str:
        """The rate and where it comes from, such as "0.004, the best of 5"."""
        return f"{self.learning_rate:g}, {self.source}"


class Rate(Strict):
    """data/tuned/NAME.json: what train needs, so that another reason retrains nothing."""

    learning_rate: Positive


def n_tuning_steps(fold_steps: int, n_folds: int) -> int:
    """Return the steps of each short training, at most those of a fold.

    A training that is too short misleads: it does not show the rates at which a network breaks
    down later. So the batches are smaller instead. Repeats do not count, so that one more changes
    no rate.

    Args:
        fold_steps: Steps of the training of a fold.
        n_folds: k.
    """
    share = SHARE * n_folds * SMALLER_BATCH / N_RATES
    return min(fold_steps, max(MIN_STEPS, int(share * fold_steps)))


def rate_of_params(network: Network, section: TrainSection) -> Tuning | None:
    """Return the learning rate that params.yaml sets; None if it is to be tuned.

    Args:
        network: Its rate, if it has one, counts first.
        section: The common rate.
    """
    rate, source = network.training.learning_rate, "set for this architecture"
    if rate is None and section.learning_rate != "auto":
        rate, source = section.learning_rate, "set for all"
    if rate is None:
        return None
    return Tuning(learning_rate=rate, source=source, steps=0, n_images=0, tried=[])


def write_tuning(path: Path, tuning: Tuning) -> None:
    """Write reports/tuning/NAME.json."""
    write_json(path, tuning)


def write_rate(path: Path, rate: float) -> None:
    """Write data/tuned/NAME.json."""
    write_json(path, Rate(learning_rate=rate))


def read_rate(path: Path) -> float:
    """Read the learning rate of data/tuned/NAME.json."""
    return read_json(path, Rate).learning_rate


def read_tuning(path: Path) -> Tuning:
    """Read reports/tuning/NAME.json."""
    return read_json(path, Tuning)
