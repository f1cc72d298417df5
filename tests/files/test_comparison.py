"""comparison.json, verdict.json and confused.json: one schema and one file each."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from measured import LATENCY

from foldwise.core.errors import InputError
from foldwise.files.base import read_json, write_json
from foldwise.files.comparison import (
    Architecture,
    Comparison,
    Confused,
    ConfusedPair,
    Design,
    Detectable,
    Diagnosis,
    Scores,
)
from foldwise.files.verdict import Metrics, Verdict, percent

DESIGN = Design(
    models=["null"],
    repeats=[0],
    folds=[0, 1],
    resplit=True,
    epochs=3,
    steps=3,
    n_images=10,
    metric="accuracy",
    top_k=3,
    confidence=0.95,
    worth=0.01,
    compared_before=[],
    history_complete=True,
    folds_digest="",
    detectable=Detectable(
        significant=2, minimum_detectable_effect=3, with_ten_repeats=1, text="Little."
    ),
)
UNKNOWN = dict.fromkeys(("train_accuracy", "gap", "start", "slope", "start_rank", "potential_rank"))
FAILED = Architecture(
    name="null",
    parameters=1,
    macs=2,
    latency=LATENCY,
    predicted_memory_bytes=3,
    scores=None,
    metrics=None,
    diagnosis=Diagnosis(fit="diverged", evidence="train loss is NaN", **UNKNOWN),
    cost=None,
)
NOTHING = dict.fromkeys(("best", "chosen", "runner_up"))
COMPARISON = Comparison(design=DESIGN, baseline=None, architectures=[FAILED], pairs=[], machines=[])
VERDICT = Verdict(cost_unit="macs", **NOTHING, contenders=[], text="Nothing.", next=["Less."])
METRICS = Metrics(metric="accuracy", mean=None, std=None, verdict=None, verdict_mean=None)
CONFUSED = Confused(
    model="net",
    pairs=[
        ConfusedPair(
            true="<b>",
            predicted="null",
            images=2,
            share=1 / 3,
            examples=[7],
        )
    ],
)


@pytest.mark.parametrize("content", [COMPARISON, VERDICT, METRICS, CONFUSED])
def test_what_is_written_is_read(tmp_path, content):
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json", type(content)) == content


def test_failure_is_null_and_never_nan(tmp_path):
    write_json(tmp_path / "metrics.json", METRICS)
    found = json.loads((tmp_path / "metrics.json").read_text())
    numbers = dict.fromkeys(("mean", "std", "verdict", "verdict_mean", "verdict_score"))
    assert found == numbers | {"metric": "accuracy"}


@pytest.mark.parametrize("schema", [Comparison, Verdict, Confused])
@pytest.mark.parametrize("text", [None, "", "{}", '{"model": "net", "pairs": [NaN]}'])
def test_another_file_is_refused_in_one_line_a_fault(tmp_path, schema, text):
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"a\.json") as caught:
        read_json(path, schema)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(str(path)) for line in lines)


def test_texts():
    assert (DESIGN.text, DESIGN.percent) == ("2 folds", "95 %")
    assert DESIGN.model_copy(update={"repeats": [0, 1]}).text == "2 repeats × 2 folds"
    assert DESIGN.model_copy(update={"metric": "top_k"}).decides.label == "top-3 accuracy"
    numbers = dict.fromkeys(("mean", "min", "max", "variance", "std"), 0.5)
    scores = Scores(**numbers, interval=(0.25, 0.75), stability_rank=1, parts=None)
    assert scores.text == "0.5000 ± 0.2500"


@example(0.005)
@example(0.995)
@given(st.floats(0, 1))
def test_a_probability_is_never_zero_or_one(probability):
    text = percent(probability)
    assert text not in ("0 %", "100 %")
    if text[0] not in "<>":
        assert abs(int(text.removesuffix(" %")) - 100 * probability) <= 0.5 + 1e-9
