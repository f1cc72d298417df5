"""From fold records to the comparison, the verdict and the tables."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from statistics import fmean, median_high, stdev, variance
from typing import NamedTuple

import pandas as pd

from foldwise.files.card import Card
from foldwise.files.comparison import (
    Architecture,
    Comparison,
    Confused,
    Cost,
    Design,
    Diagnosis,
    Scores,
)
from foldwise.files.fold_record import FoldCounts, FoldRecord, Machine
from foldwise.files.params import Params
from foldwise.files.verdict import METRICS, Metrics, Verdict
from foldwise.selection import statistics, tables
from foldwise.selection.advice import next_steps
from foldwise.selection.decision import decide, selection_rule
from foldwise.selection.diagnosis import diagnose, diverged
from foldwise.selection.metrics import best_first, confusion_matrix, majority_baseline, ranks
from foldwise.selection.pairs import compare_pairs
from foldwise.selection.statistics import ScoreMatrix
from foldwise.selection.verdict_text import verdict_text

DECIMALS = 6  # of metrics.json: finer than one image in 100,000, coarser than rounding errors
Records = Mapping[str, Sequence[FoldRecord]]  # by architecture


class ComparisonResult(NamedTuple):
    """The contents of the files that compare writes, one attribute per file."""

    comparison: Comparison
    verdict: Verdict
    metrics: Metrics
    confused: Confused
    scores: pd.DataFrame
    curves: pd.DataFrame
    classes: pd.DataFrame
    confusion: pd.DataFrame


def compare(
    records: Sequence[FoldRecord], cards: Mapping[str, Card], params: Params
) -> ComparisonResult:
    """Return the comparison and the verdict; the order of the candidates does not change it.

    Args:
        records: One record per model, repeat and fold, in the order of `params.runs`, as
            `require_fair_comparison` checks them.
        cards: Card of each model, by name.
        params: Models, repeats, folds, and the settings of compare.
    """
    by_model = {model: list(runs) for model, runs in groupby(records, lambda record: record.model)}
    scores = tables.scores_table(records, params.compare.metric, params.compare.top_k)
    comparison = _comparison(by_model, scores, cards, params)
    verdict = _verdict(comparison, cards)
    chosen, classes = verdict.chosen, next(iter(cards.values())).classes
    counts = {a.name: _counts(by_model[a.name]) for a in comparison.finished}
    matrices = {name: confusion_matrix(folds) for name, folds in counts.items()}
    confused = Confused(model=None, pairs=[])
    if chosen:
        mistakes = [mistake for fold in counts[chosen] for mistake in fold.mistakes]
        confused = tables.most_confused(chosen, matrices[chosen], mistakes, classes)
    return ComparisonResult(
        comparison=comparison,
        verdict=verdict,
        metrics=_metrics(comparison, params.model, chosen),
        confused=confused,
        scores=scores,
        curves=tables.curves_table(records),
        classes=tables.classes_table(matrices, classes),
        confusion=tables.confusion_table(matrices[chosen] if chosen else None, classes),
    )


def _comparison(
    by_model: Records, table: pd.DataFrame, cards: Mapping[str, Card], params: Params
) -> Comparison:
    design = _design(next(iter(by_model.values())), params)
    scores = tables.scores_by_model(table)
    stability = ranks({name: stdev(_flat(matrix)) for name, matrix in scores.items()})
    summaries = {name: _scores(scores[name], stability[name], design) for name in scores}
    curves = {name: [record.curves for record in by_model[name]] for name in scores}
    diagnoses = diagnose(curves, target=params.compare.target, gap=params.compare.gap)
    architectures = [
        _architecture(cards[name], records, table, summaries.get(name), diagnoses.get(name))
        for name, records in by_model.items()
    ]
    ranked = best_first(architectures, design.decides)
    finished = [architecture.name for architecture in ranked if architecture.scores]
    baseline = majority_baseline(_counts(by_model[finished[0]]), design.top_k) if finished else None
    return Comparison(
        design=design,
        baseline=baseline,
        architectures=ranked,
        pairs=compare_pairs({name: scores[name] for name in finished}, design),
        machines=_machines(record for records in by_model.values() for record in records),
    )


def _design(records: Sequence[FoldRecord], params: Params) -> Design:
    settings, n_folds = params.compare, len(params.folds)
    detectable = statistics.detectable_difference(
        len(params.repeats), n_folds, settings.confidence, resplit=params.resplit
    )
    return Design(
        models=params.models,
        repeats=params.repeats,
        folds=params.folds,
        resplit=params.resplit,
        epochs=records[0].epochs,
        n_images=sum(record.n_validation for record in records[:n_folds]),
        metric=settings.metric,
        top_k=settings.top_k,
        confidence=settings.confidence,
        rope=settings.rope,
        sure=settings.sure,
        detectable=detectable,
    )


def _scores(scores: ScoreMatrix, stability_rank: int, design: Design) -> Scores:
    every = _flat(scores)
    values = statistics.resampled_values(scores, resplit=design.resplit)
    sample = statistics.sample(values, len(design.folds))
    return Scores(
        mean=fmean(every),
        variance=variance(every),
        std=stdev(every),
        min=min(every),
        max=max(every),
        interval=statistics.confidence_interval(sample, design.confidence),
        stability_rank=stability_rank,
        parts=None if design.resplit else statistics.variance_parts(scores),
    )


def _architecture(
    card: Card,
    records: Sequence[FoldRecord],
    table: pd.DataFrame,
    scores: Scores | None,
    diagnosis: Diagnosis | None,
) -> Architecture:
    """Return the numbers of one architecture; without scores, one of its folds diverged."""
    rows = table[table["model"] == card.name]
    return Architecture(
        name=card.name,
        title=card.title,
        status="finished" if scores else "failed",
        reason=None if scores else _why_failed(records),
        parameters=card.parameters,
        macs=card.macs,
        predicted_memory_bytes=card.memory.with_batches_of(records[0].batch_size),
        scores=scores,
        metrics={name: fmean(rows[name]) for name in METRICS} if scores else None,
        diagnosis=diagnosis or diverged(records),
        cost=_cost(records, rows) if scores else None,
    )


def _why_failed(records: Sequence[FoldRecord]) -> str:
    folds = [
        f"repeat {record.repeat} fold {record.fold} ({record.reason or 'no reason recorded'})"
        for record in records
        if record.status == "diverged"
    ]
    return f"diverged in {len(folds)} of {len(records)} folds: {', '.join(folds)}"


def _cost(records: Sequence[FoldRecord], rows: pd.DataFrame) -> Cost:
    timings = [record.timing for record in records]
    gpu = [timing.peak_gpu_bytes for timing in timings if timing.peak_gpu_bytes is not None]
    return Cost(
        seconds_per_epoch=fmean(rows["seconds_per_epoch"]),
        total_seconds=sum(timing.total_seconds for timing in timings),
        images_per_second=fmean(timing.images_per_second for timing in timings),
        peak_memory_bytes=median_high(timing.peak_memory_bytes for timing in timings),
        peak_gpu_bytes=median_high(gpu) if gpu else None,
    )


def _verdict(comparison: Comparison, cards: Mapping[str, Card]) -> Verdict:
    rule = selection_rule(comparison)
    decision = decide(comparison, rule)
    names = [architecture.name for architecture in comparison.finished]
    return Verdict(
        rule=rule,
        best=names[0] if names else None,
        chosen=decision.chosen.name if decision else None,
        runner_up=names[1] if len(names) > 1 else None,
        contenders=decision.contenders if decision else [],
        text=verdict_text(comparison, decision),
        next=next_steps(comparison, decision, cards),
    )


def _metrics(comparison: Comparison, model: str, chosen: str | None) -> Metrics:
    scores = {a.name: a.scores for a in comparison.finished}
    tested, best = scores.get(model), scores[chosen] if chosen else None
    return Metrics(
        mean=round(tested.mean, DECIMALS) if tested else None,
        std=round(tested.std, DECIMALS) if tested else None,
        verdict=chosen,
        verdict_mean=round(best.mean, DECIMALS) if best else None,
    )


def _flat(scores: ScoreMatrix) -> list[float]:
    return [score for row in scores for score in row]


def _counts(records: Iterable[FoldRecord]) -> list[FoldCounts]:
    return [record.fold_counts for record in records if record.fold_counts]


def _machines(records: Iterable[FoldRecord]) -> list[Machine]:
    """Return each machine once, in an order that does not depend on that of the records."""
    machines = {record.machine.model_dump_json(): record.machine for record in records}
    return [machines[key] for key in sorted(machines)]
