"""foldwise evaluate: how good a final model is on new labelled images."""

import argparse
from collections.abc import Iterator

from foldwise.core.errors import counted, printable
from foldwise.files.base import write_json
from foldwise.files.final import Evaluation, FinalModel, named_model
from foldwise.files.verdict import METRICS, metric
from foldwise.report.formats import NONE, Row, Table, percent, score
from foldwise.ship.evaluation import evaluate
from foldwise.ship.predict import Predictor

MOST = 20  # rows of a table on the screen; the file has all


def run_evaluate(args: argparse.Namespace) -> None:
    """Print the scores, and write them to a file if one is named.

    Args:
        args: Options of `foldwise evaluate`.

    Raises:
        InputError: If the model or the images cannot be used.
    """
    predictor = Predictor(args.model, args.device)
    record = evaluate(predictor, args.data, args.batch_size)
    for line in (*_scores(record, predictor.model), *_tables(record, predictor.model.classes)):
        print(printable(line))
    if args.output is not None:
        write_json(args.output, record)


def _scores(record: Evaluation, model: FinalModel) -> Iterator[str]:
    name = named_model(record.architecture, len(model.normalisation))
    yield f"evaluate: {name} on {counted(record.n_images, 'image')} of {record.data}"
    if record.seen is None:
        yield "caution: the model does not say which images it has seen in training"
    elif record.seen:
        yield (
            f"caution: the model has seen {len(record.seen):,} of these images in training (such "
            f"as {record.seen[0]}), so these are not scores on new images; remove them"
        )
    low, high = record.interval
    certainty = f"{low:.4f} to {high:.4f}, {100 * record.confidence:g} % confidence interval"
    for key, (_, higher) in METRICS.items():
        if key == "top_k" and len(model.classes) <= record.top_k:  # always 1
            continue
        note = f"  ({certainty}; {record.n_correct:,} right)" if key == "accuracy" else ""
        lower = "" if higher else "  (lower is better)"
        label = metric(key, record.top_k).label
        yield f"{label:<20}{score(record.metrics[key]):>8}{note}{lower}"
    yield (
        f"prediction sets: {percent(record.covered)} hold the true class "
        f"({percent(record.coverage)} asked for), {record.mean_set_size:.2f} classes on average"
    )
    if (test := model.test) is not None:
        yield f"for comparison: accuracy {test.accuracy:.4f} on its {test.n_images:,} test images"


def _tables(record: Evaluation, classes: list[str]) -> Iterator[str]:
    """Yield the classes with the lowest recall, and the pairs that are confused most."""
    ranked = sorted(record.classes, key=lambda one: (one.recall is None, one.recall, one.name))
    rows: list[Row] = []
    for one in ranked:
        shares = [
            NONE if share is None else percent(share) for share in (one.recall, one.precision)
        ]
        rows.append([one.name, f"{one.n_images:,}", *shares])
    yield from _lines(Table(("class", "images", "recall", "precision"), rows))
    wrong = sorted((-n, true, taken) for true, taken, n in record.confusion if true != taken)
    pairs = [[classes[true], classes[taken], f"{-n:,}"] for n, true, taken in wrong]
    yield from _lines(Table(("true class", "predicted", "images"), pairs, n_text=2))


def _lines(table: Table) -> Iterator[str]:
    """Yield an empty line and the lines of a table; none if it has no rows."""
    shown = [table.header, *table.rows[:MOST]] if table.rows else []
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    yield from [""] * bool(shown)
    for row in shown:
        cells = zip(row, widths, "<" * table.n_text + ">" * len(widths), strict=False)
        yield "  ".join(f"{cell:{side}{width}}" for cell, width, side in cells).rstrip()
    if len(table.rows) > MOST:
        yield f"... and {len(table.rows) - MOST:,} more; --output writes all"
