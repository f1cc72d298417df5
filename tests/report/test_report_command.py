import re
import subprocess
import sys
from pathlib import Path

import pytest
from records import flags as compare_flags
from records import loaded, record

from stages.compare.__main__ import main as compare
from stages.contracts.command import InputError
from stages.contracts.fold_record import Epoch, Machine, record_path, write_record
from stages.report.__main__ import main

CASE = {"lenet5": [[0.9, 0.92]], "slim_vgg": [[0.95, 0.94]], "bad": [[0.9, None]]}


def report(flags):
    main(flags)
    return (Path(flags[-1]) / "report.md").read_text()


def plain(line):
    return line.replace("\N{NO-BREAK SPACE}", " ")


def test_verdict_comes_first_and_the_chosen_row_says_so(case, capsys):
    flags = case(CASE)
    text = report(flags)
    lines = text.splitlines()
    assert lines[0] == r"# Take slim\_vgg"
    assert lines[2].startswith(r"slim\_vgg has the highest mean accuracy: 0.9450 ± ")
    assert [plain(line) for line in lines if line.startswith(r"| **slim\_vgg** |")] == [
        # std √(.005² · 2) = .0071; half: t(1) 12.7062 · √(1/2 + 1/1) · .00707107 = .1100
        r"| **slim\_vgg** | **chosen** | 0.9450 ± 0.1100 | 0.0071 | 5.00e-05 | "
        "0.9400 … 0.9500 | +0.0200 |",
        r"| **slim\_vgg** | 1.50 | 8 | 100 | 1,000 | 5,000 |",
    ]
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"report: slim_vgg of 3 in 3 figures -> {flags[-1]}/report.md"


def test_what_diverged_is_listed_with_its_reason_and_without_numbers(case):
    text = report(case(CASE))
    assert "| bad | failed | – | – | – | – | – |" in text
    assert "| bad | – | – | – | 1,000 | 5,000 |" in text
    assert "- bad diverged in 1 of 2 folds: repeat 0 fold 1 (train loss is NaN in epoch 2)" in text
    assert "| repeat 0 fold 1 | 0.9400 | 0.9200 | diverged |" in text
    assert "- bad: failed, so its curves are not averaged." in text


def test_every_link_is_relative_and_the_figures_are_there(case):
    flags = case(CASE)
    links = re.findall(r"\]\((.*?)\)", report(flags))
    assert links == [
        *("figures/scores.svg", "figures/curves.svg", "figures/cost.svg"),
        *("contact_sheets/0/0.png", "contact_sheets/0/1.png"),
        "architectures.md",
        *(f"models/{name}/summary.txt" for name in CASE),
    ]
    for figure in links[:3]:
        assert (Path(flags[-1]) / figure).read_text().startswith("<?xml")


def test_first_contact_sheet_is_shown_and_the_others_are_linked(case):
    text = report(case({"a": [[0.5, 0.6], [0.7, 0.8]]}))
    assert (
        "![Augmented training images of repeat 0 fold 0](contact_sheets/0/0.png)\n\n"
        "Repeat 0 fold 0, augmented as in training. Every fold draws its own (repeat-fold): "
        "[0-1](contact_sheets/0/1.png), [1-0](contact_sheets/1/0.png), "
        "[1-1](contact_sheets/1/1.png)."
    ) in text
    assert "- 2 repeats × 2 folds, the same for all" in text


def test_second_run_writes_the_same_bytes(case, tmp_path):
    flags = case(CASE)
    main(flags)
    again = tmp_path / "again"
    main([*flags[:-1], str(again)])
    files = sorted(path for path in again.rglob("*") if path.is_file())
    assert len(files) == 5
    for file in files:
        twin = Path(flags[-1]) / file.relative_to(again)
        assert file.read_bytes() == twin.read_bytes()
        assert str(tmp_path) not in file.read_text()


def test_titles_and_class_names_cannot_become_markup(case):
    nasty = {"title": "a | *b*\n# <script> [x](y)", "classes": ["c|d", "_e_"]}
    text = report(case({"a": [[0.5, 0.6]]}, cards={"a": nasty}))
    assert r"a: a \| \*b\* \# \<script\> \[x\](y); input 1×8×8, trains from scratch; [" in text
    assert r"2 classes: c\|d, \_e\_" in text
    assert "<script>" not in text


def test_weights_and_their_cautions_are_named(case):
    found = {"loaded": [loaded("W|1")], "policy": "finetune", "cautions": ["not *these* colours"]}
    text = report(case({"a": [[0.5, 0.6]], "b_c": [[0.5, 0.6]]}, cards={"b_c": found}))
    assert rf"input 1×8×8, finetune, weights W\|1 (SHA-256 {'ab' * 32}); [" in text
    assert [line for line in text.splitlines() if "caution" in line] == [
        r"- **caution**, b\_c: not \*these\* colours"
    ]


def test_architectures_have_a_page_of_their_own(case):
    flags = case(CASE)
    report(flags)
    page = (Path(flags[-1]) / "architectures.md").read_text()
    titles = [line for line in page.splitlines() if line.startswith("## ")]
    assert titles == ["## lenet5", r"## slim\_vgg", "## bad"]


def test_many_classes_are_not_all_listed(case):
    classes = {"classes": [f"c{n}" for n in range(30)]}
    assert "30 classes: c0, " in (text := report(case({"a": [[0.5, 0.6]]}, cards={"a": classes})))
    assert "c19, …" in text
    assert "c20" not in text


def test_machines_that_differ_are_warned_of(case, tmp_path):
    flags = case(CASE)
    assert "Warning" not in report(flags)
    gpu = Machine(device="cuda H100", precision="bfloat16", threads=1, torch="2.15.0")
    one = record("lenet5", 0, 1, 0.92, n_folds=2, machine=gpu)
    write_record(record_path(tmp_path / "folds", "lenet5", 0, 1), one)
    compare(compare_flags(tmp_path))
    text = report(flags)
    assert "**Warning:** the folds were trained on machines or versions that differ." in text
    assert "- trained on cuda H100, 1 thread, bfloat16, torch 2.15.0" in text


def test_a_single_epoch_shows_no_trend(case):
    text = report(case({"a": [[0.5, 0.6]], "b": [[0.4, 0.5]]}, epochs=1))
    assert "a: ends at 0.5700 on train, 0.5500 on validation images; a single epoch shows" in text


def test_learning_notes_say_where_the_curves_go(case):
    losses = [(0.9, 0.8), (0.5, 0.6), (0.3, 0.7)]  # train still falls, validation rises
    curves = [
        Epoch(
            epoch=number,
            train_loss=train,
            train_accuracy=0.9,
            validation_loss=validation,
            validation_accuracy=0.7 - number / 100,
        )
        for number, (train, validation) in enumerate(losses, 1)
    ]
    text = report(case({"a": [[0.67, 0.67]]}, epochs=3, curves=curves))
    assert "moved by -0.0100 in the last epoch" in text
    assert "validation loss was lowest after epoch 2 of 3." in text


def test_nothing_to_take(case):
    text = report(case({"a": [[None, 0.6]]}))
    assert text.startswith("# No architecture to take\n\nNothing can be chosen")
    assert "chosen |" not in text


@pytest.mark.parametrize(("flag", "name"), [(1, "comparison.json"), (3, "scores.csv")])
def test_missing_file_is_named_with_what_to_do(case, flag, name):
    flags = case(CASE)
    Path(flags[flag]).unlink()
    with pytest.raises(InputError, match=rf"{name} is missing; run 'dvc repro' to make it"):
        main(flags)


def test_report_does_not_import_torch_or_pyplot():
    code = (
        "import sys, stages.report.__main__\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'matplotlib.pyplot')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
