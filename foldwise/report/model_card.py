"""The model card of the final model: Markdown with front matter, as model hubs read it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from foldwise.core.errors import InputError
from foldwise.files.base import read_json
from foldwise.files.comparison import Architecture, Comparison
from foldwise.files.dataset import DatasetInfo
from foldwise.files.final import (
    CalibrationRecord,
    Choice,
    ExportRecord,
    FinalModel,
    Refit,
    RiskPoint,
    TestRecord,
    read_choice,
)
from foldwise.files.inspection import Inspection, PairCounts
from foldwise.files.network import Card, read_card
from foldwise.files.verdict import METRICS, Metric, Verdict, metric
from foldwise.report import formats
from foldwise.report.figures import calibration, matrices
from foldwise.report.figures.style import draw_svg
from foldwise.report.formats import NONE, Row, Table, percent, probability, score
from foldwise.report.inputs import as_yaml
from foldwise.report.pages import render_markdown

LEFT_TO_A_PERSON = (0, 0.05, 0.1, 0.2, 0.3, 0.5)  # shares of the images, in the table


@dataclass(frozen=True)
class CardInputs:
    """The records of the final pipeline, and of the comparison before it.

    Attributes:
        choice: What was trained on all training images.
        refit: Its training.
        calibration: Its probabilities, on images that did not train.
        test: Its score on the test images.
        exported: Size, latency and agreement of the files.
        model: The description beside them.
        card: Size and initial weights of the architecture.
        comparison: Best architecture first.
        verdict: The choice of the comparison.
        dataset: Facts of the data set.
        near_duplicates: Numbers of images that look like copies.
    """

    choice: Choice
    refit: Refit
    calibration: CalibrationRecord
    test: TestRecord
    exported: ExportRecord
    model: FinalModel
    card: Card
    comparison: Comparison
    verdict: Verdict
    dataset: DatasetInfo
    near_duplicates: PairCounts

    @property
    def compared(self) -> Architecture:
        """The architecture in the comparison."""
        name = self.choice.architecture
        return next(each for each in self.comparison.architectures if each.name == name)

    @property
    def is_mean(self) -> bool:
        """Whether the model is the mean of several networks, which gets no temperature."""
        return len(self.refit.members) > 1

    @property
    def decides(self) -> Metric:
        """The metric that decides: its label, and which way it is better."""
        return metric(self.choice.expected.metric, self.choice.expected.top_k)


def read_card_inputs(reports: Path, choice: Path, model: Path, dataset: DatasetInfo) -> CardInputs:
    """Read the records.

    Args:
        reports: Folder of the reports.
        choice: Folder of choice.json.
        model: Folder of the exported model.
        dataset: Of the prepared images.

    Raises:
        InputError: If a file is missing or invalid, or of another model than the test.
    """
    final, chosen = reports / "final", read_choice(choice)
    inspection = read_json(reports / "inspection" / "inspection.json", Inspection)
    inputs = CardInputs(
        choice=chosen,
        refit=read_json(final / "refit.json", Refit),
        calibration=read_json(final / "calibration.json", CalibrationRecord),
        test=read_json(final / "test.json", TestRecord),
        exported=read_json(final / "export.json", ExportRecord),
        model=read_json(model / "model.json", FinalModel),
        card=read_card(reports / "models" / chosen.architecture),
        comparison=read_json(reports / "comparison.json", Comparison),
        verdict=read_json(reports / "verdict.json", Verdict),
        dataset=dataset,
        near_duplicates=inspection.near_duplicates,
    )
    _require_one_model(inputs, final / "test.json", model / "model.json")
    return inputs


def _require_one_model(inputs: CardInputs, test: Path, model: Path) -> None:
    """Raise an InputError if the records are of different models, or of other images."""
    name, record, description = inputs.choice.architecture, inputs.test, inputs.model
    facts = [
        (test, "architecture", record.architecture, name),
        (test, "model", record.model, description.weights_sha256),
        (test, "n_images", record.n_images, inputs.dataset.n_test),
        (model, "classes", description.classes, inputs.dataset.classes),
    ]
    for path, key, value, expected in facts:
        if value != expected:
            raise InputError(
                f"{path}: {key} is {value!r:.80}; expected {expected!r:.80}, as in the other "
                "records; run 'dvc repro final/dvc.yaml' to make all of the same model"
            )


def draw_card_figures(inputs: CardInputs) -> dict[str, str]:
    """Return the figures as SVG by name: reliability, risk and confusion."""
    quality, test, classes = inputs.calibration, inputs.test, inputs.model.classes
    panels = {"before": quality.before, "after": quality.after}
    if inputs.is_mean:
        panels = {f"scored by {quality.scored_by}": quality.after}
    rows = [(classes[true], classes[taken], n) for true, taken, n in test.confusion]
    confusion = pd.DataFrame(rows, columns=["true", "predicted", "images"])
    draw: dict[str, Callable[[], Figure]] = {
        "reliability": partial(calibration.draw_reliability, panels),
        "risk": partial(calibration.draw_risk, quality.risk),
        "confusion": partial(matrices.draw_confusion, confusion, classes, test.architecture),
    }
    return {name: draw_svg(figure) for name, figure in draw.items()}


def card_markdown(inputs: CardInputs) -> str:
    """Return README.md; its links are relative to reports/final."""
    tables = {
        "metrics": metrics(inputs),
        "classes": classes(inputs.test),
        "worst": classes(inputs.test, 5),
        "mistakes": mistakes(inputs.test),
        "calibration": calibrations(inputs),
        "risk": risk(inputs.calibration),
        "files": files(inputs.exported),
    }
    front = Markup(front_matter(inputs))
    return render_markdown("model_card.md.j2", inputs=inputs, front_matter=front, tables=tables)


def front_matter(inputs: CardInputs) -> str:
    """Return what a model hub reads, as YAML.

    There is no licence, because no record knows it.
    """
    test, name = inputs.test, formats.visible(inputs.choice.architecture)
    data = formats.visible(inputs.dataset.name)
    result = {
        "task": {"type": "image-classification"},
        "dataset": {"name": data, "type": data, "split": "test"},
        "metrics": [{"type": "accuracy", "value": round(test.accuracy, 4)}],
    }
    return as_yaml(
        {
            "library_name": "foldwise",
            "pipeline_tag": "image-classification",
            "tags": ["foldwise", "onnx", "safetensors", name],
            "metrics": ["accuracy"],
            "model-index": [{"name": name, "results": [result]}],
        }
    )


def metrics(inputs: CardInputs) -> Table:
    """Return every metric on the validation images of the folds and on the test images.

    The top-k accuracy of at most k classes is left out, because it is always 1.
    """
    top_k, means = inputs.choice.expected.top_k, inputs.compared.metrics or {}
    rows = []
    for name in METRICS:
        if name != "top_k" or len(inputs.model.classes) > top_k:
            label, higher = metric(name, top_k)
            values = means.get(name), inputs.test.metrics.get(name)
            rows.append([label if higher else f"{label} ↓", *map(score, values)])
    return Table(("metric", "folds", "test images"), rows)


def classes(test: TestRecord, most: int | None = None) -> Table:
    """Return recall and precision of each class on the test images, lowest recall first.

    Args:
        test: The record of the test.
        most: Rows to return; None: all.
    """
    ranked = sorted(test.classes, key=lambda each: (each.recall is None, each.recall, each.name))
    rows = []
    for each in ranked[:most]:
        shares = [NONE if s is None else percent(s) for s in (each.recall, each.precision)]
        rows.append([each.name, f"{each.n_images:,}", *shares])
    return Table(("class", "images", "recall", "precision"), rows)


def mistakes(test: TestRecord) -> Table:
    """Return the most confident mistakes, in the order of their pictures."""
    rows: list[Row] = [
        [str(number), each.file, each.true, each.predicted, probability(each.confidence)]
        for number, each in enumerate(test.mistakes, 1)
    ]
    return Table(("picture", "file", "class", "predicted", "probability"), rows, n_text=4)


def calibrations(inputs: CardInputs) -> Table:
    """Return calibration error, coverage and size of the prediction sets, on both kinds of images.

    Calibration errors are those before and after calibration, where there is a temperature.
    """
    first = 1 if inputs.is_mean else 0
    record, test = inputs.calibration, inputs.test
    errors = record.before.calibration_error, record.after.calibration_error
    tested = test.calibration_error_before, test.metrics["calibration_error"]
    rows: list[Row] = [
        [name, *map(score, before_after[first:]), percent(covered), f"{size:.2f}"]
        for name, before_after, covered, size in (
            (f"out of fold, {record.n_images:,}", errors, record.covered, record.mean_set_size),
            (f"test, {test.n_images:,}", tested, test.covered, test.mean_set_size),
        )
    ]
    of_errors = ("error",) if inputs.is_mean else ("error before", "error after")
    return Table(("images", *of_errors, "sets with the true class", "mean set size"), rows)


def risk(record: CalibrationRecord) -> Table:
    """Return the accuracy on the other images if a share of them is left to a person."""
    nearest: dict[RiskPoint, None] = dict.fromkeys(
        min(record.risk, key=lambda point: abs(1 - point.share - left)) for left in LEFT_TO_A_PERSON
    )
    rows = [
        [percent(1 - point.share), score(point.accuracy), probability(point.confidence)]
        for point in nearest
    ]
    return Table(("left to a person", "accuracy on the others", "their lowest confidence"), rows)


def files(record: ExportRecord) -> Table:
    """Return size, agreement with PyTorch and latency of each exported file."""
    rows: list[Row] = [
        [
            each.file,
            formats.memory(each.bytes),
            percent(each.same_class),
            f"{each.largest_difference:.1e}",
            formats.milliseconds(each.image_seconds),
            formats.milliseconds(each.image_seconds_threads),
        ]
        for each in record.files
    ]
    threads = formats.count(record.threads, "thread")
    header = ("file", "size", "same class", "largest difference", "ms, 1 thread", f"ms, {threads}")
    return Table(header, rows)
