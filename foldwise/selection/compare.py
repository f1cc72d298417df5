"""From fold records to the comparison, the verdict and the metrics."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from statistics import fmean, median_high, stdev, variance
from typing import NamedTuple

import numpy as np
import pandas as pd

from foldwise.data.folds import training_steps
from foldwise.files.comparison import (
    Architecture,
    Comparison,
    Confused,
    Cost,
    Design,
    Diagnosis,
    Scores,
)
from foldwise.files.fold_record import FoldCounts, FoldRecord
from foldwise.files.measurements import Measurements
from foldwise.files.network import Card
from foldwise.files.params import Params
from foldwise.files.verdict import METRICS, Metrics, Verdict
from foldwise.selection import advice, metrics, statistics
from foldwise.selection.corrected_score import corrected_score
from foldwise.selection.decision import decide
from foldwise.selection.diagnosis import diagnose, diverged, predicts_one_class, stopped
from foldwise.selection.history import UNKNOWN, History
from foldwise.selection.image_scores import ImageScores, image_scores, score_floor
from foldwise.selection.pairs import compare_pairs
from foldwise.selection.summary import summarise
from foldwise.selection.verdict_text import verdict_text

DECIMALS = 6  # of metrics.json: finer than one image in 100,000, coarser than rounding errors
Records = Mapping[str, Sequence[FoldRecord]]  # by architecture
Described = tuple[Mapping[str, Card], Mapping[str, Measurements]]  # cards and costs, likewise
Compared = tuple[Records, pd.DataFrame, Comparison]  # with the table of scores


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
    records: Sequence[FoldRecord],
    cards: Mapping[str, Card],
    measured: Mapping[str, Measurements],
    params: Params,
    history: History = UNKNOWN,
    checked: Sequence[FoldRecord] = (),
) -> ComparisonResult:
    """Return the comparison and the verdict; the order of the candidates does not change it.

    Args:
        records: One record per model, repeat and fold, in the order of `params.runs`, as
            `require_fair_comparison` checks them.
        cards: Card of each model, by name.
        measured: Latency and extraction of each model, by name.
        params: Models, repeats, folds, and the settings of compare.
        history: Earlier comparisons of the same folds.
        checked: The records without images whose label looks wrong; empty: the same.
    """
    described = cards, measured
    by_model, scores, comparison = _compared(records, described, params, history)
    without = _compared(checked, described, params, history)[-1] if checked else comparison
    verdict = _verdict((by_model, scores, comparison), without, cards)
    chosen, classes = verdict.chosen, next(iter(cards.values())).classes
    counts = {a.name: _counts(by_model[a.name]) for a in comparison.finished}
    matrices = {name: metrics.confusion_matrix(folds) for name, folds in counts.items()}
    nothing = np.zeros((len(classes), len(classes)), dtype=np.int64)
    matrix, folds = (matrices[chosen], counts[chosen]) if chosen else (nothing, [])
    mistakes = [mistake for fold in folds for mistake in fold.mistakes]
    return ComparisonResult(
        comparison=comparison,
        verdict=verdict,
        metrics=_metrics(comparison, params.model, verdict),
        confused=metrics.most_confused(chosen, matrix, mistakes, classes),
        scores=scores,
        curves=metrics.curves_table(records),
        classes=metrics.classes_table(matrices, classes),
        confusion=metrics.confusion_table(matrix, classes),
    )


def _compared(
    records: Sequence[FoldRecord], described: Described, params: Params, history: History
) -> Compared:
    by_model = {model: list(runs) for model, runs in groupby(records, lambda record: record.model)}
    table = metrics.scores_table(records, params.compare.metric, params.compare.top_k)
    architectures = _architectures(by_model, table, described, params)
    design = _design(records, params, history)
    return by_model, table, _comparison(by_model, table, architectures, design)


def _comparison(
    by_model: Records, table: pd.DataFrame, architectures: list[Architecture], design: Design
) -> Comparison:
    ranked = metrics.best_first(architectures, design.decides)
    n_stopped = sum(architecture.diagnosis.fit == "stopped" for architecture in ranked)
    scores = metrics.scores_by_model(table)
    fair = {a.name: scores[a.name] for a in ranked if a.scores and not a.seen_images}
    by_image = _image_scores(by_model, fair, design)
    n_before = len(design.compared_before) + n_stopped
    first = next((a.name for a in ranked if a.scores), None)
    counts = _counts(by_model[first]) if first else []
    machines = {r.machine.model_dump_json(): r.machine for r in chain(*by_model.values())}
    return Comparison(
        design=design,
        baseline=metrics.majority_baseline(counts, design.top_k) if counts else None,
        architectures=ranked,
        pairs=compare_pairs(
            fair, design, resplit=design.resplit, images=by_image, n_before=n_before
        ),
        machines=[machines[key] for key in sorted(machines)],
    )


def _design(records: Sequence[FoldRecord], params: Params, history: History) -> Design:
    settings, n_folds, resplit = params.compare, len(params.folds), params.resplit
    n_images = sum(record.n_validation for record in records[:n_folds])
    return Design(
        **settings.model_dump(exclude={"target", "gap", "race"}),
        models=params.models,
        repeats=params.repeats,
        folds=params.folds,
        resplit=resplit,
        epochs=records[0].epochs,
        steps=training_steps(records[0].n_train, records[0].epochs, records[0].batch_size),
        n_images=n_images,
        limited=params.prepare.limit is not None and n_images >= params.prepare.limit,
        detectable=statistics.detectable_difference(
            len(params.repeats), n_folds, settings.confidence, resplit=resplit
        ),
        **history._asdict(),
    )


def _scores(
    records: Sequence[FoldRecord],
    scores: statistics.ScoreMatrix,
    stability_rank: int,
    params: Params,
) -> Scores:
    every = list(chain(*scores))
    values = statistics.resampled_values(scores, resplit=params.resplit)
    by_image = image_scores(records, params.compare.metric, params.compare.top_k)
    sample = statistics.sample(values, len(params.folds), score_floor(by_image))
    return Scores(
        mean=fmean(every),
        variance=variance(every),
        std=stdev(every),
        min=min(every),
        max=max(every),
        interval=statistics.confidence_interval(sample, params.compare.confidence),
        stability_rank=stability_rank,
        parts=None if params.resplit else statistics.variance_parts(scores),
    )


def _architectures(
    by_model: Records,
    table: pd.DataFrame,
    described: Described,
    params: Params,
) -> list[Architecture]:
    """Return the numbers of each architecture; without scores, it did not finish all folds."""
    cards, measured = described
    scores = metrics.scores_by_model(table)
    stability = metrics.ranks({name: stdev(chain(*rows)) for name, rows in scores.items()})
    curves = {name: [record.curves for record in by_model[name]] for name in scores}
    diagnoses = diagnose(curves, target=params.compare.target, gap=params.compare.gap)
    architectures = []
    for name, records in by_model.items():
        rows, finished = table[table["model"] == name], name in scores
        diagnosis = diagnoses[name] if finished else _without_scores(records)
        if finished and (evidence := predicts_one_class(records, cards[name].classes)):
            update = {"fit": "constant", "evidence": evidence}
            diagnosis = diagnosis.model_copy(update=update)
        architecture = Architecture(
            **cards[name].model_dump(include={"name", "parameters", "macs", "seen_images"}),
            latency=measured[name].latency,
            predicted_memory_bytes=cards[name].memory.with_batches_of(records[0].batch_size),
            scores=_scores(records, scores[name], stability[name], params) if finished else None,
            first_score=rows["score"].iloc[0] if diagnosis.fit == "stopped" else None,
            metrics={metric: fmean(rows[metric]) for metric in METRICS} if finished else None,
            diagnosis=diagnosis,
            cost=_cost(records, measured[name].extraction.seconds) if finished else None,
        )
        architectures.append(architecture)
    return architectures


def _without_scores(records: Sequence[FoldRecord]) -> Diagnosis:
    has_diverged = any(record.status == "diverged" for record in records)
    return diverged(records) if has_diverged else stopped(records)


def _cost(records: Sequence[FoldRecord], extraction: float) -> Cost:
    timings = [record.timing for record in records]
    gpu = [timing.peak_gpu_bytes for timing in timings if timing.peak_gpu_bytes is not None]
    return Cost(
        training_seconds=fmean(t.train_seconds for t in timings) + extraction / len(timings),
        extraction_seconds=extraction,
        total_seconds=sum(timing.total_seconds for timing in timings) + extraction,
        images_per_second=fmean(timing.images_per_second for timing in timings),
        peak_memory_bytes=median_high(timing.peak_memory_bytes for timing in timings),
        peak_gpu_bytes=median_high(gpu) if gpu else None,
    )


def _verdict(compared: Compared, without: Comparison, cards: Mapping[str, Card]) -> Verdict:
    by_model, table, comparison = compared
    fair = comparison.without_kept_out()
    decision, other = decide(fair), decide(without.without_kept_out())
    if decision:
        images = _image_scores(by_model, [a.name for a in fair.finished], fair.design)
        score = corrected_score(decision, metrics.scores_by_model(table), images)
        decision = decision._replace(score=score)
    best, second, *_ = [*(a.name for a in fair.finished), None, None]
    chosen_without = other.chosen.name if other else None
    return Verdict(
        cost_unit=comparison.design.cost,
        best=best,
        chosen=decision.chosen.name if decision else None,
        chosen_without=chosen_without,
        runner_up=second,
        contenders=decision.contenders if decision else [],
        score=decision.score if decision else None,
        summary=summarise(decision, chosen_without) if decision else None,
        text=verdict_text(comparison, decision),
        next=advice.next_steps(comparison, decision, cards),
    )


def _image_scores(by_model: Records, names: Iterable[str], design: Design) -> ImageScores:
    return {name: image_scores(by_model[name], design.metric, design.top_k) for name in names}


def _metrics(comparison: Comparison, model: str, verdict: Verdict) -> Metrics:
    scores = {a.name: a.scores for a in comparison.without_kept_out().finished}
    tested, best = scores.get(model), scores[verdict.chosen] if verdict.chosen else None
    return Metrics(
        metric=comparison.design.metric,
        mean=round(tested.mean, DECIMALS) if tested else None,
        std=round(tested.std, DECIMALS) if tested else None,
        verdict=verdict.chosen,
        verdict_mean=round(best.mean, DECIMALS) if best else None,
        verdict_score=round(verdict.score.value, DECIMALS) if verdict.score else None,
    )


def _counts(records: Iterable[FoldRecord]) -> list[FoldCounts]:
    return [record.fold_counts for record in records if record.fold_counts]
