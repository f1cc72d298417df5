"""The whole comparison, from the records and cards to the verdict."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.compare.baseline import majority
from stages.compare.confused import most_confused
from stages.compare.diagnosis import diagnose, diverged
from stages.compare.metrics import confusion_matrix
from stages.compare.pairs import compare_pairs
from stages.compare.params import CompareParams
from stages.compare.power import detectable
from stages.compare.ranking import best_first, ranks
from stages.compare.store import Findings
from stages.compare.summary import describe, runs, spread, summarise
from stages.compare.tables import classes_table, confusion_table, curves_table, scores_table
from stages.compare.verdict import conclude
from stages.contracts.card import Card
from stages.contracts.comparison import Architecture, Comparison, Design
from stages.contracts.confused import Confused
from stages.contracts.fold_record import FoldRecord, Machine, Tally
from stages.contracts.verdict import Metrics

DECIMALS = 6  # of metrics.json: finer than one image in 100,000, and no digits of rounding errors
Records = Mapping[str, Sequence[FoldRecord]]  # by architecture


def compare(
    params: CompareParams, cards: Mapping[str, Card], records: Sequence[FoldRecord]
) -> Findings:
    """Return what the records say; the order of the candidates does not change the verdict.

    Args:
        params: The design.
        cards: Of every model, by name.
        records: Exactly those of the design, checked by `require_pairs`.
    """
    by_model = {model: list(own) for model, own in groupby(records, key=lambda one: one.model)}
    scores = scores_table(records, params.compare)
    comparison = _compare(params, cards, by_model, scores)
    verdict = conclude(comparison, cards)
    finished = [one.name for one in comparison.architectures if one.scores]
    matrices = {name: confusion_matrix(_tallies(by_model[name])) for name in finished}
    classes = next(iter(cards.values())).classes
    return Findings(
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
    design, scores = _design(params, next(iter(records.values()))), runs(table)
    ranked = best_first(_architectures(cards, records, table, params, design), design.decides)
    finished = [one.name for one in ranked if one.scores]
    return Comparison(
        design=design,
        baseline=majority(_tallies(records[finished[0]]), design.top_k) if finished else None,
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
    scores = runs(table)
    stability = ranks({name: spread(own) for name, own in scores.items()})
    curves = {name: [record.curves for record in records[name]] for name in scores}
    diagnoses = diagnose(curves, params.compare)
    return [
        summarise(
            cards[name],
            own,
            table[table["model"] == name],
            describe(scores[name], stability[name], design) if name in scores else None,
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
    mistakes = [mistake for tally in _tallies(records[chosen]) for mistake in tally.mistakes]
    return most_confused(chosen, matrices[chosen], mistakes, classes)


def _tallies(records: Iterable[FoldRecord]) -> list[Tally]:
    return [record.tally for record in records if record.tally]


def _machines(records: Iterable[FoldRecord]) -> list[Machine]:
    """Return each machine once, in an order that does not depend on the records'."""
    machines = {record.machine.model_dump_json(): record.machine for record in records}
    return [machines[key] for key in sorted(machines)]
