import re
from pathlib import Path

import pytest
from compared import read_all
from html_tree import parse

from foldwise.core.errors import InputError
from foldwise.files.base import write_json
from foldwise.files.comparison import Mistakes
from foldwise.report.pages import report_markdown
from stages.report import main

CASE = {"lenet5": [[0.9, 0.92]], "slim_vgg": [[0.95, 0.94]], "bad": [[0.9, None]]}
CHARTS = ["scores", "pairs", "curves", "pareto", "confusion"]


def test_pages_and_charts_are_written_and_hold_what_they_show(case, capsys):
    flags = case(CASE)
    main(flags)
    reports = Path(flags[-1])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"report: slim_vgg of 3 in 5 figures -> {reports}/report.html"
    links = re.findall(r"(!?)\[[^\]]*\]\((.*?)\)", (reports / "report.md").read_text())
    pictures = [path for mark, path in links if mark]
    assert pictures[:5] == [f"figures/{name}.svg" for name in CHARTS]
    assert pictures[-1] == "contact_sheets/0/0.png"
    assert all((reports / path).is_file() for path in pictures)
    assert len(list(reports.glob("figures/*"))) == len(CHARTS)
    assert [path for mark, path in links if not mark] == [
        *(f"inspection/{name}.csv" for name in ("near_duplicates", "labels")),
        *("contact_sheets/0/1.png", "architectures.md"),
        *(f"models/{name}/summary.txt" for name in CASE),
    ]
    page = parse((reports / "report.html").read_text())
    assert len(page.all("img")) == len(pictures)
    assert all(image.attributes["src"].startswith("data:image/") for image in page.all("img"))
    assert len(page.all("source")) == len(CHARTS)  # dark
    titles = re.findall("^## .*", (reports / "architectures.md").read_text(), re.MULTILINE)
    assert titles == ["## lenet5", r"## slim\_vgg", "## bad"]


@pytest.mark.slow
def test_second_run_writes_the_same_bytes(case, tmp_path):
    flags = case({"a": [[0.5, 0.6]], "b": [[0.7, None]]})
    main(flags)
    reports = Path(flags[-1])
    written = {path: path.read_bytes() for path in reports.rglob("*") if path.is_file()}
    main(flags)
    assert {path: path.read_bytes() for path in written} == written
    for name in ("report.md", "report.html", "architectures.md"):
        assert str(tmp_path).encode() not in written[reports / name]


def test_nothing_to_take_is_a_report_too(case, capsys):
    main(case({"a": [[None, 0.6]]}))
    assert "report: no architecture of 1 in 2 figures" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["comparison.json", "verdict.json", "scores.csv", "classes.csv"])
def test_missing_file_is_named_with_what_to_do(case, name):
    flags = case({"a": [[0.5, 0.6]]})
    (Path(flags[-1]) / name).unlink()
    with pytest.raises(InputError, match=rf"{name} is missing; run 'dvc repro' to make it"):
        main(flags)


@pytest.mark.parametrize("path", ["contact_sheets/0/0.png", "models/a/summary.txt"])
def test_missing_output_of_another_stage_is_named_with_what_to_do(case, path):
    flags = case({"a": [[None, 0.6]]})
    (Path(flags[-1]) / path).unlink()
    with pytest.raises(InputError, match=rf"{path} is missing; run 'dvc repro' to make it"):
        main(flags)
    assert not (Path(flags[-1]) / "report.md").exists()


def test_strips_of_other_pairs_are_named_with_what_to_do(case):
    flags = case({"a": [[0.5, 0.6]]})
    write_json(Path(flags[-1]) / "mistakes" / "strips.json", Mistakes(strips=[]))
    with pytest.raises(InputError, match=r"mistakes: holds 0 strips of images; expected \d, one"):
        main(flags)


def test_a_report_without_the_images_says_so(case):
    flags = case({"a": [[0.5, 0.6]]})
    write_json(Path(flags[-1]) / "mistakes" / "strips.json", Mistakes(strips=None))
    text = report_markdown(read_all(flags))
    assert "There are no pictures" in text
    assert "](mistakes/" not in text
    assert "predicted as “" in text
