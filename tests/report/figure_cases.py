"""Synthetic comparisons, verdicts and tables, of the real schemas."""

import itertools
from statistics import fmean, stdev, variance

import pandas as pd
from measured import LATENCY

from foldwise.files.comparison import (
    Architecture,
    Comparison,
    Cost,
    Design,
    Detectable,
    Diagnosis,
    Pair,
    Scores,
)
from foldwise.files.tables import CONFUSION, CURVES, SCORES
from foldwise.files.verdict import METRICS, Contender, Verdict


class Case:
    """Comparison, verdict and tables for scores of every fold."""

    def __init__(self, scores, *, metric="accuracy", epochs=4, curves=None, costs=None):
        """Create the comparison, the verdict and the tables.

        Args:
            scores: Per model one score per fold; None: diverged.
            metric: The metric that decides.
            epochs: Number of epochs of every curve.
            curves: (model, fold, epoch) -> train loss, train accuracy and so on; None: they rise.
            costs: Per model seconds of training and parameters.
        """
        sign = 1 if METRICS[metric].higher_is_better else -1
        finished = {name: folds for name, folds in scores.items() if None not in folds}
        order = sorted(finished, key=lambda name: -sign * fmean(finished[name]))
        costs = costs or {name: (1.5 + i, 1000 * 3**i) for i, name in enumerate(scores)}
        rest = [name for name in scores if name not in finished]
        pairs = [
            _pair(one, other, i) for i, (one, other) in enumerate(itertools.combinations(order, 2))
        ]
        self.comparison = Comparison(
            design=_design(list(scores), len(next(iter(scores.values()))), metric, epochs),
            baseline=None,
            architectures=[
                *(_architecture(name, costs[name], finished[name]) for name in order),
                *(_architecture(name, costs[name], None) for name in rest),
            ],
            pairs=pairs,
            machines=[],
        )
        self.verdict = _verdict(order, finished, costs)
        self.scores, self.curves = _scores(scores), _curves(scores, epochs, curves or _rising)


def confusion(images, classes):
    """Return the table of a matrix of counts."""
    rows = [
        (classes[true], classes[taken], count, count / sum(row))
        for true, row in enumerate(images)
        for taken, count in enumerate(row)
        if count
    ]
    return pd.DataFrame(rows, columns=list(CONFUSION))


def _design(models, k, metric, epochs):
    numbers = {"significant": 1.9, "minimum_detectable_effect": 2.5, "with_ten_repeats": 1.0}
    detectable = Detectable(**numbers, text="…")
    return Design(
        models=models,
        repeats=[0],
        folds=list(range(k)),
        resplit=False,
        epochs=epochs,
        steps=10 * epochs,
        n_images=100,
        metric=metric,
        top_k=3,
        confidence=0.95,
        worth=0.01,
        compared_before=[],
        history_complete=True,
        folds_digest="",
        detectable=detectable,
    )


def _architecture(name, cost, folds):
    scores = diagnosis = None
    if folds is not None:
        mean, std = fmean(folds), stdev(folds)
        scores = Scores(
            mean=mean,
            variance=variance(folds),
            std=std,
            min=min(folds),
            max=max(folds),
            interval=(mean - 2 * std, mean + 2 * std),
            stability_rank=1,
            parts=None,
        )
    diagnosis = Diagnosis(
        fit="healthy" if scores else "diverged",
        evidence="…",
        train_accuracy=0.9 if scores else None,
        gap=0.0213 if scores else None,
        start=0.5 if scores else None,
        slope=0.01 if scores else None,
        start_rank=1 if scores else None,
        potential_rank=1 if scores else None,
    )
    return Architecture(
        name=name,
        parameters=cost[1],
        macs=5000,
        latency=LATENCY,
        predicted_memory_bytes=650_000_000,
        scores=scores,
        metrics={"accuracy": scores.mean} if scores else None,
        diagnosis=diagnosis,
        cost=Cost(
            training_seconds=cost[0],
            extraction_seconds=0,
            total_seconds=9,
            images_per_second=99,
            peak_memory_bytes=600_000_000,
            peak_gpu_bytes=None,
        )
        if scores
        else None,
    )


def _pair(first, second, number):
    better, equal = (0.97, 0.021) if number % 3 == 0 else (0.613, 0.3)
    return Pair(
        first=first,
        second=second,
        n=5,
        mean=0.01,
        std=0.01,
        standard_error=0.005,
        interval=(-0.01, 0.03),
        t=1.0,
        p=0.3,
        p_holm=0.6,
        different=False,
        better=better,
        equal=equal,
        worse=1 - better - equal,
        expected_shortfall=0.012,
        wins=0.8,
        detectable=0.02,
    )


def _verdict(order, finished, costs):
    means = [fmean(finished[name]) for name in order]
    contenders = [
        Contender(
            name=name,
            mean=mean,
            std=stdev(finished[name]),
            cost=costs[name][0],
            parameters=costs[name][1],
            shortfall=abs(mean - means[0]),
            expected_shortfall=0.004 * index,
            different=False,
            within_worth=index < 2,
        )
        for index, (name, mean) in enumerate(zip(order, means, strict=True))
    ]
    first, second, *_ = [*order, None, None]
    chosen = second or first
    return Verdict(
        cost_unit="training_seconds",
        best=first,
        chosen=chosen,
        runner_up=second,
        contenders=contenders,
        text="…",
        next=[],
    )


def _scores(scores):
    rows = [
        {"model": name, "repeat": 0, "fold": fold, "score": score, "accuracy": 0.123}
        for name, folds in scores.items()
        for fold, score in enumerate(folds)
    ]
    table = pd.DataFrame(rows).reindex(columns=list(SCORES))
    return table.astype({name: kind for name, kind in SCORES.items() if kind != "str"})


def _rising(_model, fold, epoch):
    reached = 1 - 0.6 ** (epoch + 1)
    return 1.1 / epoch, reached, 1.2 / epoch + fold / 50, reached - 0.01 * fold


def _curves(scores, epochs, curves):
    rows = [
        (name, 0, fold, epoch, *curves(name, fold, epoch))
        for name, folds in scores.items()
        for fold, score in enumerate(folds)
        for epoch in range(1, epochs + (score is not None))
    ]
    return pd.DataFrame(rows, columns=list(CURVES)).astype(
        {name: kind for name, kind in CURVES.items() if kind != "str"}
    )
