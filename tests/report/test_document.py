import re

import pytest
from compared import PIPELINE, compared, read_all
from html_tree import parse
from markdown_it import MarkdownIt
from pages import HOSTILE
from records import loaded, record, timing

from foldwise.files.fold_record import Machine, record_path, write_record
from foldwise.report.blocks import figures
from foldwise.report.document import document
from foldwise.report.embed import Picture
from foldwise.report.markdown import to_markdown
from foldwise.report.page import to_html
from foldwise.report.visible import visible

CASE = {"lenet5": [[0.9, 0.92]], "slim_vgg": [[0.95, 0.94]], "bad": [[0.9, None]]}


@pytest.fixture
def report(found):
    """Return the report in Markdown, without what keeps its tables narrow."""
    return lambda accuracies, **changes: markdown(found(accuracies, **changes))


def markdown(findings):
    return to_markdown(document(findings)).replace("\N{NO-BREAK SPACE}", " ")


def html(findings):
    made = document(findings)
    pictures = {one.path: Picture("data:image/png,", None) for one in figures(made.blocks)}
    return parse(to_html(made, pictures))


def titles(text):
    return [line for line in text.splitlines() if line.startswith("## ")]


def test_verdict_comes_first_and_the_chosen_row_says_so(report):
    lines = report(CASE).splitlines()
    assert lines[0] == r"# Take slim\_vgg"
    assert lines[2].startswith(r"Take slim\_vgg: it has the highest mean accuracy, 0.9450 ± ")
    assert [line for line in lines if line.startswith(r"| **slim\_vgg** (chosen) |")] == [
        # std √(.005² · 2) = .0071; half: t(1) 12.7062 · √(1/2 + 1/1) · .00707107 = .1100
        r"| **slim\_vgg** (chosen) | still improving | 0.9450 ± 0.1100 | 0.0071 | 1 | 1.50 | 1 k |",
        r"| **slim\_vgg** (chosen) | 0.9400 | 0.9500 | 5.00e-05 |",
        r"| **slim\_vgg** (chosen) | 8.00 | 100 | 1,000 | 5,000 | 600 MB | 584 MB |",
        r"| **slim\_vgg** (chosen) | yes | yes | no | 0.0000 | 1.000 | 1.50 |",
        r"| **slim\_vgg** (chosen) | 0.9450 | 0.9450 | 0.9450 | 0.3382 | 0.9650 | 0.2102 |",
        r"| **slim\_vgg** (chosen) | still improving | 0.4725 (1.) | 0.9650 | +0.0200 | "
        "+0.4725 (1.) |",
    ]


def test_sections_answer_one_question_after_the_other(report):
    expected = [
        *("## Architectures", "## Why", "## Charts", "## Pairs", "## Other metrics"),
        *(r"## Classes, as slim\_vgg sees them", "## How they learn", "## Next"),
        *("## Training images", "## Folds", "## What was compared", "## How it was made"),
    ]
    assert titles(report(CASE)) == expected


def test_both_pages_say_the_same(found):
    findings = found(CASE)
    text = markdown(findings).replace("\N{WORD JOINER}", "")
    of_markdown = parse(MarkdownIt("gfm-like", {"html": True}).render(text))
    of_html = html(findings).all("main")[0]
    for tag in ("h1", "h2", "h3", "summary", "code"):
        said = [
            node.text.strip().replace("\N{NO-BREAK SPACE}", " ") for node in of_markdown.all(tag)
        ]
        said = [one for one in said if not one.startswith("flowchart")]  # a list instead
        assert [node.text for node in of_html.all(tag)] == said
    cells = [node.text.replace("\N{NO-BREAK SPACE}", " ") for node in of_markdown.all("th", "td")]
    assert [node.text for node in of_html.all("th", "td")] == cells


def test_the_rule_is_shown_step_by_step(report):
    tie = {"small": [[0.951, 0.949, 0.95]], "big": [[0.952, 0.95, 0.951]]}
    costs = {"small": {"seconds": 1.0}, "big": {"seconds": 9.0}}
    text = report(tie, cards=costs, n_validation=1000)
    assert text.startswith("# Take small\n")
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| \d\. ", line)]
    assert [(row[0], row[-1]) for row in rows] == [
        ("| 1. best", "big |"),
        ("| 2. tied", "big, small |"),
        ("| 3. front", "big, small |"),
        ("| 4. cheapest", "**small** |"),
    ]


def test_what_diverged_is_listed_with_its_reason_and_without_numbers(report):
    text = report(CASE)
    assert "| bad | diverged | failed | – | – | – | 1 k |" in text
    assert "- **bad** diverged in 1 of 2 folds: repeat 0 fold 1 (train loss is NaN in epoch" in text
    assert "| repeat 0 fold 1 | 0.9400 | 0.9200 | diverged |" in text
    assert "- **bad**, diverged: 1 of 2 folds diverged." in text


def test_every_pair_is_shown_with_test_and_probabilities(report):
    row = next(line for line in report(CASE).splitlines() if r"| slim\_vgg | lenet5 | +" in line)
    # d = .05, .02: std .0212, t(1) = .035 / (√1.5 · .0212) = 1.347, p = 1 − 2/π · atan 1.347
    assert row == r"| slim\_vgg | lenet5 | +0.0350 | -0.2951 … +0.3651 | 0.407 | 0.407 | 0.3301 |"


def test_weakest_class_comes_first(report):
    rows = re.findall(r"\| (\w+) \| 50 \| (\d+\.\d) % \|", report(CASE))
    recalls = [float(recall) for _, recall in rows]
    assert recalls == sorted(recalls)
    assert [name for name, _ in rows] == ["fox", "emu", "cat", "dog"]


def test_most_confused_classes_are_shown_with_their_images(report):
    text = report({"a": [[0.5, 0.5]]})
    alt, images, share, shown = re.search(
        r"!\[(\d) images of “cat” taken for “dog”\]\(mistakes/\d.png\)\n\n"
        r"(\d+) images of “cat” \((.*?) %\) are taken for “dog”; the (\d) surest are shown",
        text,
    ).groups()
    assert alt == shown == "8"
    assert float(share) == 100 * int(images) / 50  # 2 × 25 images are cats


def test_no_mistake_reads_well(report):
    text = report({"a": [[1.0, 1.0]], "b": [[1.0, 1.0]]})
    assert "No image was taken for another class." in text


def test_names_cannot_become_markup(found):
    classes = [name for name in HOSTILE if name != "\ud800"]  # files cannot hold it
    nasty = {"title": "a | *b*\n# <script> [x](y)", "cautions": ["<b>", "`x`"]}
    findings = found({"a": [[0.7, 0.6]]}, classes=classes, cards={"a": nasty}, n_validation=200)
    page = html(findings)
    of_markdown = parse(MarkdownIt("gfm-like", {"html": True}).render(markdown(findings)))
    rows = [node for node in page.all("tr") if len(node.all("td")) == 3]  # of a class, or spread
    assert {row.all("th")[0].text for row in rows} == {"a (chosen)", *map(visible, classes)}
    for one in (page, of_markdown):
        assert not {node.tag for node in one.all()} & {"script", "b", "s", "em", "hr", "blockquote"}
        assert not [node for node in one.all() if "onerror" in node.attributes]


def test_weights_and_their_cautions_are_named(report):
    found = {"loaded": [loaded("W|1")], "policy": "finetune", "cautions": ["not *these* colours"]}
    text = report({"a": [[0.5, 0.6]], "b_c": [[0.5, 0.6]]}, cards={"b_c": found})
    assert rf"input 1×8×8, finetune, weights W\|1 (SHA-256 {'ab' * 32}); [" in text
    assert [line for line in text.splitlines() if "Caution" in line] == [
        r"- **Caution**, b\_c: not \*these\* colours"
    ]


def test_many_classes_are_folded_away(report):
    text = report({"a": [[0.5, 0.6]]}, classes=[f"c{n}" for n in range(30)])
    assert "30 classes: c0, " in text
    assert "c19, …" in text
    before, _, after = text.partition("<details><summary>All 30 classes</summary>")
    assert sum(f"| c{n} |" in before for n in range(30)) == 5
    assert all(f"| c{n} |" in after for n in range(30))


def test_many_pairs_are_folded_away(report):
    four = {name: [[0.5 + at / 10, 0.6 + at / 20]] for at, name in enumerate("abcd")}
    assert "<details><summary>All 6 pairs</summary>" in report(four)
    three = {name: four[name] for name in "abc"}
    assert "All 3 pairs" not in report(three)


def test_many_architectures_get_several_narrow_tables_of_folds(report):
    text = report({f"m{at}": [[0.5 + at / 20, 0.6]] for at in range(7)})
    assert "| fold | m6 | m5 | m4 | m3 | m2 |" in text
    assert "| fold | m1 | m0 |" in text


def test_repeats_of_the_same_folds_show_the_parts_of_the_variance(report):
    twice = {"a": [[0.5, 0.6], [0.7, 0.8]], "b": [[0.5, 0.5], [0.6, 0.6]]}
    text = report(twice, resplit=False)
    assert "| variance | of the folds | of the initial weights |" in text
    assert "- 2 repeats × 2 folds, the same for all; the same folds each time" in text
    text = report(twice, resplit=True)
    assert "of the initial weights" not in text
    assert "- 2 repeats × 2 folds, the same for all; each repeat with folds of its own" in text


def test_first_contact_sheet_is_shown_and_the_others_are_linked(report):
    text = report({"a": [[0.5, 0.6], [0.7, 0.8]]})
    assert "![Augmented training images of repeat 0 fold 0](contact_sheets/0/0.png)\n\n" in text
    assert "- [repeat 0 fold 1](contact_sheets/0/1.png)\n" in text
    assert "- [repeat 1 fold 1](contact_sheets/1/1.png)\n" in text


def test_machines_that_differ_are_warned_of(report, tmp_path):
    assert "Warning" not in report(CASE)
    gpu = Machine(
        cpu="EPYC",
        device="cuda H100",
        precision="bfloat16",
        threads=1,
        versions={"torch": "2.15.0"},
    )
    one = record("lenet5", 0, 1, 0.92, n_folds=2, machine=gpu)
    write_record(record_path(tmp_path / "folds", "lenet5", 0, 1), one)
    text = markdown(read_all(compared(tmp_path)))
    assert "**Warning:** the folds were trained on machines or versions that differ." in text
    assert "- trained on cuda H100, EPYC, 1 thread, bfloat16; torch 2.15.0" in text
    assert "fewest multiply-adds, since the machines differ" in text


def test_a_single_epoch_shows_no_trend(report):
    text = report({"a": [[0.5, 0.6]], "b": [[0.4, 0.5]]}, epochs=1)
    assert "A single epoch shows no trend." in text
    assert "Greatest potential" not in text


def test_highest_start_and_greatest_potential_are_named(report):
    text = report({"a": [[0.5, 0.6]], "b": [[0.4, 0.5]]}, epochs=4)
    assert "Highest start: a. Greatest potential, by its slope: a." in text


def test_a_single_architecture_has_nothing_to_compare_with(report):
    text = report({"a": [[0.5, 0.6]]})
    assert "It is the only architecture that finished" in text
    assert "## Pairs" not in text
    assert "pairs.svg" not in text


def test_nothing_to_take(report):
    text = report({"a": [[None, 0.6]]})
    assert text.startswith("# No architecture to take\n\nNothing can be chosen")
    assert "(chosen)" not in text
    assert not {"## Why", "## Pairs", "## Other metrics"} & set(titles(text))
    assert re.findall(r"!\[.*\]\((.*)\)", text) == [
        *("figures/scores.svg", "figures/curves.svg", "contact_sheets/0/0.png")
    ]


def test_another_metric_than_accuracy_decides(report):
    text = report(CASE, section={"metric": "log_loss"})
    assert "| architecture | diagnosis | mean log loss | std |" in text
    assert "| 1. best | the lowest mean log loss |" in text
    assert "The log loss of every fold" in text


def test_commands_in_the_advice_are_code(found):
    findings = found({"a": [[0.5, 0.6]]})
    advice = {"next": ["Try `dvc repro` *now*.", "a ` alone"]}
    verdict = findings.verdict.model_copy(update=advice)
    changed = type(findings)(**vars(findings) | {"verdict": verdict})
    assert "## Next\n\n- Try `dvc repro` \\*now\\*.\n- a \\` alone\n" in markdown(changed)


def test_parameters_are_shown_as_they_are_but_for_comments(case, tmp_path):
    flags = case(CASE)
    params = tmp_path / "params.yaml"
    params.write_text(f"# a comment\n{params.read_text()}build: {{z: '1e-3', a: [1, null]}}\n")
    [block] = re.findall(r"```yaml\n(.*?)```", markdown(read_all(flags)), re.DOTALL)
    assert block.endswith("build:\n  z: '1e-3'\n  a:\n  - 1\n  - null\n")
    assert "comment" not in block


def test_pipeline_is_drawn_or_told(found):
    findings = found({"a": [[0.5, 0.6]]})
    [drawing] = re.findall(r"```mermaid\n(.*?)```", markdown(findings), re.DOTALL)
    told = [node.text for node in html(findings).all("li")]
    assert "compare: Which architecture, and how sure? After train." in told
    for name in re.findall(r"^  (\w+):\n    desc:", PIPELINE.read_text(), re.MULTILINE):
        assert f'["{name}"]' in drawing
        assert any(one.startswith(f"{name}: ") for one in told)


def test_memory_of_the_gpu_is_beside_that_of_the_process(report):
    gpu = timing(4.0).model_copy(update={"peak_gpu_bytes": 2_330_000_000})
    text = report({"a": [[0.9, 0.8]], "b": [[0.7, 0.6]]}, timing=gpu)
    assert "| 600 MB + 2.33 GB (GPU) | 584 MB |" in text.replace("\N{NO-BREAK SPACE}", " ")
