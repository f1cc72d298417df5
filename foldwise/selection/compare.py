"""All that compare writes."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from foldwise.files.card import Card
from foldwise.files.comparison import (
    Architecture,
    Comparison,
    Confused,
    Design,
    write_comparison,
    write_confused,
)
from foldwise.files.fold_record import FoldCounts, FoldRecord, Machine
from foldwise.files.params import CompareParams
from foldwise.files.tables import CLASSES, CONFUSION, CURVES, SCORES, write_table
from foldwise.files.verdict import Metrics, Verdict, write_verdict
from foldwise.selection.advice import next_steps
from foldwise.selection.decision import VerdictContext, choose, list_contenders, rule_of
from foldwise.selection.diagnosis import diagnose, diverged
from foldwise.selection.metrics import best_first, confusion_matrix, majority, ranks
from foldwise.selection.pairs import compare_pairs
from foldwise.selection.power import detectable
from foldwise.selection.summary import (
    describe_scores,
    scores_by_model,
    spread,
    summarise_architecture,
)
from foldwise.selection.tables import (
    classes_table,
    confusion_table,
    curves_table,
    most_confused,
    scores_table,
)
from foldwise.selection.verdict_text import nothing_to_take, verdict_text


class ComparisonResult(NamedTuple):
    """One attribute a file: comparison.json, verdict.json, metrics.json, scores.csv and so on."""

    comparison: Comparison
    verdict: Verdict
    metrics: Metrics
    confused: Confused
    scores: pd.DataFrame
    curves: pd.DataFrame
    classes: pd.DataFrame
    confusion: pd.DataFrame


def write_result(folder: Path, findings: ComparisonResult) -> None:
    """Write the eight files of a comparison."""
    write_comparison(folder, findings.comparison)
    write_verdict(folder, findings.verdict, findings.metrics)
    write_confused(folder, findings.confused)
    write_table(folder / "scores.csv", findings.scores, SCORES)
    write_table(folder / "curves.csv", findings.curves, CURVES)
    write_table(folder / "classes.csv", findings.classes, CLASSES)
    write_table(folder / "confusion.csv", findings.confusion, CONFUSION)


def reach_verdict(comparison: Comparison, cards: Mapping[str, Card]) -> Verdict:
    """Return the verdict, with every number that led there.

    Args:
        comparison: Architectures best first.
        cards: Of every architecture, by name.
    """
    rule = rule_of(comparison)
    contenders = list_contenders(comparison, rule)
    chosen = choose(contenders, comparison, rule) if contenders else None
    case = VerdictContext(comparison, rule, contenders, chosen) if chosen else None
    best, runner_up, *_ = [*(one.name for one in contenders), None, None]
    return Verdict(
        rule=rule,
        best=best,
        chosen=chosen.name if chosen else None,
        runner_up=runner_up,
        contenders=contenders,
        text=verdict_text(case) if case else nothing_to_take(comparison),
        next=next_steps(comparison, case, cards),
    )


DECIMALS = 6  # of metrics.json: finer than one image in 100,000, and no digits of rounding errors
Records = Mapping[str, Sequence[FoldRecord]]  # by architecture


def compare(
    params: CompareParams, cards: Mapping[str, Card], records: Sequence[FoldRecord]
) -> ComparisonResult:
    """Return what the records say; the order of the candidates does not change the verdict.

    Args:
        params: The design.
        cards: Of every model, by name.
        records: Exactly those of the design, checked by `require_pairs`.
    """
    by_model = {model: list(own) for model, own in groupby(records, key=lambda one: one.model)}
    scores = scores_table(records, params.compare)
    comparison = _compare(params, cards, by_model, scores)
    verdict = reach_verdict(comparison, cards)
    finished = [one.name for one in comparison.architectures if one.scores]
    matrices = {name: confusion_matrix(_fold_counts(by_model[name])) for name in finished}
    classes = next(iter(cards.values())).classes
    return ComparisonResult(
        comparison=comparison,
        verdict=verdict,
        metrics=_metrics(params.model, comparison, verdict.chosen),
        confused=_confused(verdict.chosen, matrices, by_model, classes),
        scores=scores,
        curves=curves_table(records),
        classes=classes_table(matrices, classes),
        confusion=confusion_table(matrices[verdict.chosen] if verdict.chosen else None, classes),
    )


def _compare(
    params: CompareParams, cards: Mapping[str, Card], records: Records, table: pd.DataFrame
) -> Comparison:
    design, scores = _design(params, next(iter(records.values()))), scores_by_model(table)
    ranked = best_first(_architectures(cards, records, table, params, design), design.decides)
    finished = [one.name for one in ranked if one.scores]
    return Comparison(
        design=design,
        baseline=majority(_fold_counts(records[finished[0]]), design.top_k) if finished else None,
        architectures=ranked,
        pairs=compare_pairs({name: scores[name] for name in finished}, design),
        machines=_machines(record for own in records.values() for record in own),
    )


def _design(params: CompareParams, records: Sequence[FoldRecord]) -> Design:
    one_repeat, section = records[: len(params.folds)], params.compare  # each image once
    return Design(
        models=params.models,
        repeats=params.repeats,
        folds=params.folds,
        resplit=params.resplit,
        epochs=records[0].epochs,
        n_images=sum(record.n_validation for record in one_repeat),
        metric=section.metric,
        top_k=section.top_k,
        confidence=section.confidence,
        rope=section.rope,
        sure=section.sure,
        detectable=detectable(
            len(params.repeats), len(params.folds), section.confidence, resplit=params.resplit
        ),
    )


def _architectures(
    cards: Mapping[str, Card],
    records: Records,
    table: pd.DataFrame,
    params: CompareParams,
    design: Design,
) -> list[Architecture]:
    scores = scores_by_model(table)
    stability = ranks({name: spread(own) for name, own in scores.items()})
    curves = {name: [record.curves for record in records[name]] for name in scores}
    diagnoses = diagnose(curves, params.compare)
    return [
        summarise_architecture(
            cards[name],
            own,
            table[table["model"] == name],
            describe_scores(scores[name], stability[name], design) if name in scores else None,
            diagnoses[name] if name in scores else diverged(own),
        )
        for name, own in records.items()
    ]


def _metrics(model: str, comparison: Comparison, chosen: str | None) -> Metrics:
    scores = {one.name: one.scores for one in comparison.architectures}
    tested, best = scores[model], scores[chosen] if chosen else None
    return Metrics(
        mean=round(tested.mean, DECIMALS) if tested else None,
        std=round(tested.std, DECIMALS) if tested else None,
        verdict=chosen,
        verdict_mean=round(best.mean, DECIMALS) if best else None,
    )


def _confused(
    chosen: str | None,
    matrices: Mapping[str, NDArray[np.int64]],
    records: Records,
    classes: Sequence[str],
) -> Confused:
    if chosen is None:
        return Confused(model=None, pairs=[])
    mistakes = [mistake for counts in _fold_counts(records[chosen]) for mistake in counts.mistakes]
    return most_confused(chosen, matrices[chosen], mistakes, classes)


def _fold_counts(records: Iterable[FoldRecord]) -> list[FoldCounts]:
    return [record.fold_counts for record in records if record.fold_counts]


def _machines(records: Iterable[FoldRecord]) -> list[Machine]:
    """Return each machine once, in an order that does not depend on the records'."""
    machines = {record.machine.model_dump_json(): record.machine for record in records}
    return [machines[key] for key in sorted(machines)]


def summary_line(findings: ComparisonResult) -> str:
    """Return the choice and the size of the comparison, without a full stop."""
    design, chosen = findings.comparison.design, findings.verdict.chosen
    choice = "no architecture finished"
    for one in findings.comparison.architectures:
        if one.scores is not None and one.name == chosen:
            choice = f"{chosen}, {design.decides.label} {one.scores.text} ({design.percent})"
    n = len(design.models)
    return f"{choice}, {n} architecture{'s' if n > 1 else ''} × {design.text}"
