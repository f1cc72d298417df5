"""What report.md says."""

import re
from dataclasses import replace

import pytest
from compared import compared, read_all
from html_tree import parse_markdown
from records import MACHINE, loaded, record

from foldwise.files.fold_record import Machine, record_path, write_record
from foldwise.report.pages import report_markdown

CASE = {"lenet5": [[0.9, 0.92]], "slim_vgg": [[0.95, 0.94]], "bad": [[0.9, None]]}


@pytest.fixture
def report(inputs):
    """Return the report in Markdown, with plain spaces."""
    return lambda accuracies, **changes: markdown(inputs(accuracies, **changes))


def markdown(inputs):
    return report_markdown(inputs).replace("\N{NO-BREAK SPACE}", " ")


def titles(text):
    return [line for line in text.splitlines() if line.startswith("## ")]


def rows(text, start):
    return [line for line in text.splitlines() if line.startswith(start)]


def test_verdict_comes_first_and_the_chosen_row_is_marked(report):
    text = report(CASE)
    lines = text.splitlines()
    assert lines[0] == r"# Take slim\_vgg"
    assert [line.partition(":** ")[0] for line in lines[2:8]] == [
        *("- **What to take", "- **Why", "- **How sure", "- **What it costs"),
        *("- **What would change the answer", "- **What longer training may change"),
    ]
    assert lines[2].partition(":** ")[2].startswith(r"slim\_vgg, accuracy 0.94")
    assert lines[9].startswith("The second best is ")
    assert rows(text, r"| **slim\_vgg** (chosen) |") == [
        # std √(.005² · 2) = .0071; half: t(1) 12.7062 · √(.945 · .055 / 200 + 1 / 200²) = .2145,
        # more than that of the folds, 12.7062 · √(1/2 + 1/1) · .00707107 = .1100
        r"| **slim\_vgg** (chosen) | still improving | 0.9450 ± 0.2145 | 0.0071 | "
        "5 k | 2 | 3.00 | 1 k |",
        r"| **slim\_vgg** (chosen) | 0.9400 | 0.9500 | 5.00e-05 | 1 |",
        r"| **slim\_vgg** (chosen) | 1,000 | 5,000 | 584 MB | 600 MB | 0.00 | 8.00 | 67 |",
        r"| **slim\_vgg** (chosen) | 2 | 1 | 1.5 | – |",
        r"| **slim\_vgg** (chosen) | yes | no | 0.0000 | 0.0000 | 5 k |",
        r"| **slim\_vgg** (chosen) | 0.9450 | 0.9450 | 0.9450 | 0.3382 | 0.9650 | 0.2102 |",
        r"| **slim\_vgg** (chosen) | still improving | 0.4725 (1.) | 0.9650 | +0.0200 | "
        "+0.4725 (1.) |",
        r"| **slim\_vgg** (chosen) | the best of 3 with 20 steps each | "
        "0.001: 1.5000 · 0.004: 1.2000 · 0.016: diverged | 0.004 |",
    ]


def test_sections_answer_one_question_after_the_other(report):
    expected = [
        *("## Architectures", "## Why", "## Charts", "## Pairs", "## All metrics"),
        *(r"## Classes and confusions of slim\_vgg", "## Data", "## Near-duplicates"),
        *("## Labels that look wrong", "## Learning", "## Next steps"),
        *("## Training images", "## Scores of each fold", "## Design"),
    ]
    assert titles(report(CASE)) == expected


def test_blank_lines_separate_blocks_once(report):
    for accuracies in (CASE, {"a": [[0.5, 0.6], [0.7, 0.8]]}, {"a": [[None, 0.6]]}):
        text = report(accuracies)
        assert "\n\n\n" not in text
        assert text.endswith("</details>\n")
        assert parse_markdown(text).all("table")


def test_the_rule_is_shown_step_by_step(report):
    tie = {"small": [[0.951, 0.949, 0.95]], "big": [[0.952, 0.95, 0.951]]}
    costs = {"small": {"macs": 10}, "big": {"macs": 90}}
    text = report(tie, cards=costs, n_validation=1000)
    assert text.startswith("# Take small\n")
    steps = [row.split(" | ") for row in text.splitlines() if re.match(r"\| \d\. ", row)]
    assert [(step[0], step[-1]) for step in steps] == [
        ("| 1. best", "big |"),
        ("| 2. worth it", "big, small |"),
        ("| 3. cheapest", "**small** |"),
    ]
    assert "at most 0.01 (compare.worth)" in steps[1][1]


def test_a_diverged_architecture_has_its_reason_and_no_numbers(report):
    text = report(CASE)
    assert "| bad | diverged | failed | – | 5 k | 2 | – | 1 k |" in text
    assert "- **bad** diverged in 1 of 2 folds, repeat 0 fold 1 (train loss is NaN in epoch" in text
    assert "| repeat 0 fold 1 | 0.9400 | 0.9200 | diverged |" in text
    assert "- **bad**, diverged: " in text


def test_overlapping_rows_and_unequal_intervals_are_explained_where_they_occur(report):
    keys = ("rows that overlap may still differ", "allows for the luck of the choice")
    several, alone = report(CASE), report({"a": [[0.5, 0.6]]})
    assert [key in several for key in keys] == [True, True]
    assert [key in alone for key in keys] == [False, False]
    assert "\n\n\n" not in several


def test_every_pair_is_shown_with_test_and_probabilities(report):
    text = report(CASE)
    assert "corrected for 1 pair." in text
    (row,) = rows(text, r"| slim\_vgg | lenet5 | +")
    # d = .05, .02: std .0212, t(1) = .035 / (√1.5 · .0212) = 1.347, p = 1 − 2/π · atan 1.347
    assert row == r"| slim\_vgg | lenet5 | +0.0350 | -0.2951 … +0.3651 | 0.407 | 0.407 | 0.3301 |"


def test_the_class_of_the_lowest_recall_comes_first(report):
    classes = re.findall(r"\| (\w+) \| 50 \| (\d+\.\d) % \|", report(CASE))
    recalls = [float(recall) for _, recall in classes]
    assert recalls == sorted(recalls)
    assert [name for name, _ in classes] == ["fox", "emu", "cat", "dog"]


def test_most_confused_classes_are_shown_with_their_images(report):
    text = report({"a": [[0.5, 0.5]]})
    alt, images, share, shown = re.search(
        r"!\[(\d) images of “cat” predicted as “dog”\]\(mistakes/\d.png\)\n\n"
        r"(\d+) images of “cat” \((.*?) %\) predicted as “dog”; the (\d) most confident",
        text,
    ).groups()
    assert alt == shown == "8"
    assert float(share) == 100 * int(images) / 50  # 2 × 25 images are cats


def test_no_mistake_reads_well(report):
    text = report({"a": [[1.0, 1.0]], "b": [[1.0, 1.0]]})
    assert "Every image was predicted correctly." in text


def test_weights_and_their_cautions_are_named(report):
    facts = {"loaded": [loaded("W|1")], "policy": "finetune", "cautions": ["not *these* colours"]}
    text = report({"a": [[0.5, 0.6]], "b_c": [[0.5, 0.6]]}, cards={"b_c": facts})
    assert rf"input 1×8×8, finetune, weights W\|1 (SHA-256 {'ab' * 32}); [" in text
    assert [line for line in text.splitlines() if "Caution" in line] == [
        r"- **Caution**, b\_c: not \*these\* colours"
    ]
    items = parse_markdown(text).all("li")
    assert not [item for item in items if item.all("p")], "no list is loose"


def test_many_classes_are_folded_away(report):
    text = report({"a": [[0.5, 0.6]]}, classes=[f"c{n}" for n in range(30)])
    assert "30 classes: c0, " in text
    assert "c19, …\n" in text
    before, _, after = text.partition("<details><summary>All 30 classes</summary>")
    assert sum(f"| c{n} |" in before for n in range(30)) == 5
    assert all(f"| c{n} |" in after for n in range(30))


def test_many_pairs_are_folded_away(report):
    four = {name: [[0.5 + at / 10, 0.6 + at / 20]] for at, name in enumerate("abcd")}
    assert "<details><summary>All 6 pairs</summary>" in report(four)
    three = {name: four[name] for name in "abc"}
    assert "All 3 pairs" not in report(three)


def test_the_scores_of_all_architectures_are_in_one_table_of_folds(report):
    text = report({f"m{at}": [[0.5 + at / 20, 0.6]] for at in range(7)})
    assert "| fold | m6 | m5 | m4 | m3 | m2 | m1 | m0 |" in text


def test_repeats_of_the_same_folds_show_the_parts_of_the_variance(report):
    twice = {"a": [[0.5, 0.6], [0.7, 0.8]], "b": [[0.5, 0.5], [0.6, 0.6]]}
    text = report(twice, resplit=False)
    assert "| variance | due to folds | due to initial weights |" in text
    assert re.search("^- 2 repeats × 2 folds.*; the same folds in each repeat$", text, re.MULTILINE)
    text = report(twice, resplit=True)
    assert "due to initial weights" not in text
    assert re.search("^- 2 repeats × 2 folds.*; each repeat with new folds$", text, re.MULTILINE)


def test_first_contact_sheet_is_shown_and_the_others_are_linked(report):
    text = report({"a": [[0.5, 0.6], [0.7, 0.8]]})
    assert "![Augmented training images of repeat 0 fold 0](contact_sheets/0/0.png)\n\n" in text
    assert "- [repeat 0 fold 1](contact_sheets/0/1.png)\n" in text
    assert "- [repeat 1 fold 1](contact_sheets/1/1.png)\n" in text


def test_different_machines_give_a_warning(report, case, tmp_path):
    assert "Warning" not in report(CASE)
    case(CASE)
    gpu = Machine(
        cpu="EPYC",
        device="cuda H100",
        precision="bfloat16",
        threads=1,
        versions={"torch": "2.15.0"},
    )
    other = record("lenet5", 0, 1, 0.92, n_folds=2, machine=gpu)
    write_record(record_path(tmp_path / "folds", "lenet5", 0, 1), other)
    text = markdown(read_all(compared(tmp_path)))
    assert re.search(r"\*\*Warning:\*\* .*different machines", text)
    first_paragraph = text.split("\n\n")[1]
    assert re.search(r"unlike machines .*torch '2\.14\.0' or '2\.15\.0'", first_paragraph)
    assert re.search(r"- trained on cuda H100, EPYC, 1 thread, bfloat16; torch 2\.15\.0\n", text)
    assert "fewest MACs" in text


def test_a_single_epoch_shows_no_trend(report):
    text = report({"a": [[0.5, 0.6]], "b": [[0.4, 0.5]]}, epochs=1)
    assert "A single epoch shows no trend." in text
    assert "Steepest slope" not in text


def test_highest_start_and_steepest_slope_are_named(report):
    text = report({"a": [[0.5, 0.6]], "b": [[0.4, 0.5]]}, epochs=4)
    assert "Highest start: a. Steepest slope at the end: a." in text


def test_a_single_architecture_has_nothing_to_compare_with(report):
    text = report({"a": [[0.5, 0.6]]})
    assert "the only architecture that can be chosen" in text
    assert "## Pairs" not in text
    assert "pairs.svg" not in text


def test_nothing_to_take(report):
    text = report({"a": [[None, 0.6]]})
    assert text.startswith("# No architecture to take\n\n")
    assert "(chosen)" not in text
    assert not {"## Why", "## Pairs", "## All metrics"} & set(titles(text))
    assert re.findall(r"!\[.*\]\(((?!inspection).*)\)", text) == [
        *("figures/scores.svg", "figures/curves.svg", "contact_sheets/0/0.png")
    ]


@pytest.mark.parametrize(
    "scores", [{"a": [[0.5, 0.6]], "warm": [[0.9, 0.9]]}, {"warm": [[0.9, 1.0]]}]
)
def test_what_has_seen_the_images_is_marked_and_not_taken(report, scores):
    text = report(scores, cards={"warm": {"seen_images": 7}})
    assert "| warm (kept out) |" in text
    assert "- **warm** had seen 7 images." in text
    assert "# Take warm" not in text
    assert "which no network has seen" not in text
    assert "which no network has seen" in report({"a": [[0.5, 0.6]]})


def test_another_metric_than_accuracy_decides(report):
    text = report(CASE, section={"metric": "log_loss"})
    assert "| architecture | diagnosis | mean log loss | std |" in text
    assert "| 1. best | lowest mean log loss |" in text
    assert "So its calibration error is 0." in text
    assert "The log loss of every fold" in text


def test_commands_in_the_next_steps_are_code(inputs):
    results = inputs({"a": [[0.5, 0.6]]})
    steps = {"next": ["Try `dvc repro` *now*.", "a ` alone"]}
    changed = replace(results, verdict=results.verdict.model_copy(update=steps))
    expected = "## Next steps\n\n- Try `dvc repro` \\*now\\*.\n- a \\` alone\n"
    assert expected in markdown(changed)


def test_parameters_are_shown_without_comments(case, tmp_path):
    flags = case(CASE)
    params = tmp_path / "params.yaml"
    params.write_text(f"# a comment\n{params.read_text()}build: {{z: '1e-3', a: [1, null]}}\n")
    [block] = re.findall(r"```yaml\n(.*?)```", markdown(read_all(flags)), re.DOTALL)
    assert block.endswith("build:\n  z: '1e-3'\n  a:\n  - 1\n  - null\n")
    assert "comment" not in block


def test_memory_of_the_gpu_is_beside_that_of_the_process(report):
    gpu = MACHINE.model_copy(update={"device": "cuda NVIDIA H100"})
    text = report({"a": [[0.9, 0.8]], "b": [[0.7, 0.6]]}, machine=gpu)
    assert "| 584 MB | 600 MB + 2.33 GB (GPU) |" in text


def test_macs_are_spelled_out(report):
    assert "multiply-accumulate operations" in report(CASE)


def test_only_charts_stand_alone_on_lines_that_the_review_comment_copies(report):
    charts = rows(report(CASE), "![")[:5]
    names = ("scores", "pairs", "curves", "pareto", "confusion")
    assert [re.search(r"\(figures/(\w+)\.svg\)$", chart)[1] for chart in charts] == list(names)


def test_many_architectures_are_in_the_tables_and_the_best_in_figures_and_pairs(inputs):
    names = [f"net{at:02}" for at in range(13)]
    many = inputs({name: [[0.99 - at / 100, 0.98 - at / 100]] for at, name in enumerate(names)})
    last = replace(many, verdict=many.verdict.model_copy(update={"chosen": names[12]}))
    assert [each.name for each in last.shown.architectures] == [*names[:10], names[12]]
    text = markdown(last)
    assert "\n\n\n" not in text
    assert "<summary>55 of 78 pairs</summary>" in text
    assert text.count("Shown are 11 of 13 architectures") == 3
    assert "cheaper. Of 13 architectures, the best, the chosen one" in text
    assert rows(text, "| net00 | net12 |")
    assert not rows(text, "| net00 | net10 |")
    assert rows(text, "| net10 | 0.8900 | 0.8800 |")  # of each fold
    assert "net06 and 6 more." in many.verdict.text
    few = replace(many, comparison=last.shown, verdict=many.verdict)
    assert few.shown.architectures == last.shown.architectures[:10]


@pytest.mark.parametrize(
    ("metric", "formula"),
    [("accuracy", "max(0, best − this)"), ("log_loss", "max(0, this − best)")],
)
def test_a_shortfall_is_positive_in_each_metric(report, metric, formula):
    assert formula in report(CASE, section={"metric": metric})
