import math

import pandas as pd
import pytest

from stages.contracts.command import InputError
from stages.contracts.comparison import (
    CURVES,
    SCORES,
    Architecture,
    Comparison,
    Design,
    Findings,
    Metrics,
    Scores,
    Verdict,
    read_comparison,
    read_curves,
    read_scores,
    write_findings,
)

DESIGN = Design(
    models=["null"],
    repeats=[0],
    folds=[0, 1],
    epochs=3,
    n_images=10,
    metric="accuracy",
    confidence=0.95,
)
FAILED = Architecture(
    name="null",
    title="It diverged",
    status="failed",
    reason="diverged",
    parameters=1,
    multiply_adds=2,
    scores=None,
    cost=None,
)
FINDINGS = Findings(
    Comparison(
        design=DESIGN,
        architectures=[FAILED],
        verdict=Verdict(chosen=None, runner_up=None, difference=None, text="Nothing."),
        machines=[],
    ),
    Metrics(mean=None, std=None, verdict=None, verdict_mean=None),
    pd.DataFrame(
        [["null", 0, 0, 1 / 3, 0.1, 0.2, 0.3], ["null", 0, 1, *[math.nan] * 4]], columns=[*SCORES]
    ),
    pd.DataFrame([["null", 0, 0, 1, 0.1, 0.2, 0.3, 0.4]], columns=[*CURVES]),
)


def test_what_is_written_is_read(tmp_path):
    write_findings(tmp_path, FINDINGS)
    assert read_comparison(tmp_path / "comparison.json") == FINDINGS.comparison
    scores = read_scores(tmp_path / "scores.csv")
    pd.testing.assert_frame_equal(scores, FINDINGS.scores.astype(SCORES), rtol=1e-15)
    curves = read_curves(tmp_path / "curves.csv")
    pd.testing.assert_frame_equal(curves, FINDINGS.curves.astype(CURVES), rtol=1e-15)


def test_missing_number_is_an_empty_cell_and_nothing_is_rounded(tmp_path):
    write_findings(tmp_path, FINDINGS)
    assert (tmp_path / "scores.csv").read_bytes() == (
        b"model,repeat,fold,accuracy,log_loss,train_accuracy,seconds_per_epoch\n"
        b"null,0,0,0.3333333333333333,0.1,0.2,0.3\nnull,0,1,,,,\n"
    )


def test_table_without_rows_is_read(tmp_path):
    (tmp_path / "curves.csv").write_text(",".join(CURVES) + "\n")
    assert read_curves(tmp_path / "curves.csv").empty


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        f"{','.join(SCORES)}\nx,0,zero,1,1,1,1\n",
        f"{','.join(SCORES)}\nx,,0,,,,\n",
    ],
)
def test_table_of_another_form_is_refused(tmp_path, text):
    (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(InputError, match=r"scores.csv: ") as caught:
        read_scores(tmp_path / "scores.csv")
    assert "\n" not in str(caught.value)


def test_missing_table(tmp_path):
    with pytest.raises(InputError, match=r"curves.csv is missing; run 'dvc repro' to make it"):
        read_curves(tmp_path / "curves.csv")


def test_texts():
    assert (DESIGN.text, DESIGN.percent) == ("2 folds", "95 %")
    assert DESIGN.model_copy(update={"repeats": [0, 1]}).text == "2 repeats × 2 folds"
    numbers = dict.fromkeys(("mean", "min", "max", "variance", "std", "log_loss", "gap"), 0.5)
    assert Scores(**numbers, train_accuracy=1.0, interval=(0.25, 0.75)).text == "0.5000 ± 0.2500"
