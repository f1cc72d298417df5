"""What to ship: the choice of the comparison, or an architecture that final/params.yaml names."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from foldwise.core.errors import InputError
from foldwise.data.pixels import PixelSettings
from foldwise.files.comparison import Architecture, Comparison
from foldwise.files.dataset import DatasetInfo
from foldwise.files.final import Choice, Expected, FinalParams, Preparation
from foldwise.files.fold_record import Predictions
from foldwise.files.params import Params
from foldwise.files.verdict import Verdict

VERDICT = "verdict"  # the architecture that stands for the choice


def choose_final(
    final: FinalParams,
    params: Params,
    reports: tuple[Comparison, Verdict],
    info: DatasetInfo,
) -> Choice:
    """Return what to train on all training images.

    Args:
        final: final/params.yaml.
        params: The sections of params.yaml that define the comparison.
        reports: Of the comparison.
        info: Of the data set.

    Raises:
        InputError: If nothing can be shipped: no choice, an architecture that was not compared,
            has no score or is kept out, too many members, or no test images.
    """
    comparison, verdict = reports
    chosen = _find_architecture(final, comparison, verdict)
    assert chosen.scores is not None
    if final.members > len(params.folds):
        raise InputError(
            f"final/params.yaml: members is {final.members}; the comparison has "
            f"{len(params.folds)} folds: set at most that"
        )
    if info.n_test == 0:
        raise InputError(
            f"the data set {info.name} has no test images; set prepare.test_fraction in "
            "params.yaml over 0, and run 'dvc repro' again"
        )
    score = verdict.score if chosen.name == verdict.chosen else None
    value, interval = (
        (score.value, score.interval) if score else (chosen.scores.mean, chosen.scores.interval)
    )
    design = comparison.design
    return Choice(
        architecture=chosen.name,
        epochs=params.train.epochs if final.epochs == "comparison" else final.epochs,
        members=final.members,
        coverage=final.coverage,
        repeat=params.repeats[0],
        expected=Expected(
            value=value,
            interval=interval,
            corrected=score is not None,
            metric=design.metric,
            top_k=design.top_k,
            confidence=design.confidence,
        ),
        preparation=describe_preparation(params, info),
    )


def _find_architecture(
    final: FinalParams, comparison: Comparison, verdict: Verdict
) -> Architecture:
    """Return the architecture to ship, which has a score."""
    name = final.architecture
    if name == VERDICT:
        if verdict.chosen is None:
            raise InputError(
                "reports/verdict.json: nothing can be chosen; set architecture in "
                "final/params.yaml, or compare others"
            )
        name = verdict.chosen
    key = f"final/params.yaml: architecture is {final.architecture!r}"
    by_name = {each.name: each for each in comparison.architectures}
    if name not in by_name:
        raise InputError(f"{key}, which was not compared; expected verdict, {', '.join(by_name)}")
    chosen = by_name[name]
    if chosen.scores is None:
        why = chosen.diagnosis.fit  # diverged or stopped
        raise InputError(f"{key}, and {name} has no score ({why}); choose another")
    if chosen.seen_images:
        raise InputError(
            f"{key}, and the weights of {name} had seen {chosen.seen_images:,} images of the "
            "comparison, so that its score is none; choose another"
        )
    return chosen


def describe_preparation(params: Params, info: DatasetInfo) -> Preparation:
    """Return how an image file becomes the pixels that the networks were trained on."""
    settings, range_ = PixelSettings.of(params.prepare), info.decoding.scale
    return Preparation(
        height=info.height,
        width=info.width,
        channels=info.channels,
        any_size=settings.size is not None,
        resize=settings.resize,
        background=settings.background,
        scale=(range_[0], range_[1]) if range_ else None,
    )


def join_out_of_fold(
    runs: Mapping[tuple[int, int], Predictions], repeats: Iterable[int], n: int
) -> NDArray[np.float32]:
    """Return the logits of each image by the network that did not train on it.

    Args:
        runs: Predictions by repeat and fold.
        repeats: The repeats, in order.
        n: The number of training images.

    Returns:
        (repeats, n, n_classes).
    """
    parts = []
    for repeat in repeats:
        folds = [predictions for (r, _), predictions in runs.items() if r == repeat]
        logits = np.full((n, folds[0].last.shape[1]), np.nan, dtype=np.float32)
        for predictions in folds:
            logits[predictions.index] = predictions.last
        assert not np.isnan(logits).any()
        parts.append(logits)
    return np.stack(parts)
