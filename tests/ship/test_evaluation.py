"""Evaluations: the scores of the test on the same images, and no word of training images missed."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from foldwise.cli.main import run_command
from foldwise.core.errors import InputError
from foldwise.files.base import read_json
from foldwise.files.final import Evaluation, Scores
from foldwise.files.final import TestRecord as Record

N = 48  # training images of `shipped`; its test images follow


@pytest.fixture
def photos(shipped, tmp_path, monkeypatch):
    """Save all images in class folders of the parts train and test, beside tables; go there."""
    monkeypatch.chdir(tmp_path)
    labels = np.load(shipped / "prepared" / "labels.npy")
    for number, image in enumerate(np.load(shipped / "prepared" / "images.npy")):
        part, name = ("train", "test")[number >= N], ("dark", "bright")[labels[number]]
        path = tmp_path / part / name / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(path)
    rows = [(path.relative_to(tmp_path), path.parent.name) for path in tmp_path.glob("test/*/*")]
    write_rows(tmp_path, *rows)
    return tmp_path


def write_rows(photos, *rows, header=("file", "label")):
    with (photos / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def evaluate(*arguments):
    run_command(["evaluate", *map(str, arguments)])


def test_scores_are_those_of_the_test(folder, photos, shipped, capsys):
    evaluate(folder, "test", "--output", "record.json")
    record = read_json(photos / "record.json", Evaluation)
    test = read_json(shipped / "final" / "test.json", Record)
    apart = {"metrics", "mistakes"}
    assert record.model_dump(include={*Scores.model_fields} - apart) == test.model_dump(
        include={*Scores.model_fields} - apart
    )
    assert record.metrics == pytest.approx(test.metrics, rel=1e-6)
    assert {f"{mistake.image}.png" for mistake in test.mistakes} == {
        mistake.file.rpartition("/")[2] for mistake in record.mistakes
    }
    assert record.seen == []
    output = capsys.readouterr().out
    low, high = test.interval
    assert f"{test.accuracy:.4f}  ({low:.4f} to {high:.4f}, 95 %" in output
    assert "caution" not in output
    assert "top-" not in output  # always 1 for two classes
    for one in test.classes:
        assert re.search(rf"^{one.name} +{one.n_images} +{100 * one.recall:.1f} %", output, re.M)


def test_a_table_gives_the_same_as_folders_and_nothing_else_is_written(folder, photos, capsys):
    before = sorted(photos.rglob("*"))
    for data in ("test", "table.csv"):
        evaluate(folder, data)
    assert sorted(photos.rglob("*")) == before
    lines = capsys.readouterr().out.splitlines()
    first, second = lines[: len(lines) // 2], lines[len(lines) // 2 :]
    assert first[0].removesuffix("test") == second[0].removesuffix("table.csv")
    assert first[1:] == second[1:]


def test_images_that_were_seen_in_training_are_named(folder, photos, capsys):
    for number, path in enumerate(sorted((photos / "train").glob("*/*"))[:3]):
        target = photos / "test" / path.parent.name / f"copy{number}.tif"  # another file format
        Image.open(path).save(target)
    evaluate(folder, "test", "--output", "record.json")
    seen = read_json(photos / "record.json", Evaluation).seen
    assert [re.search(r"copy\d", file) is not None for file in seen] == [True] * 3
    assert f"caution: the model has seen 3 of these images in training (such as {seen[0]})" in (
        capsys.readouterr().out
    )


def test_class_names_may_hold_a_slash_and_files_other_bytes(folder, photos, capsys):
    shutil.copytree(folder, "renamed")
    path = photos / "renamed" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"classes": ["dim/dark", "bright"]}))
    (photos / "test" / "dim").mkdir()
    (photos / "test" / "dark").rename(photos / "test" / "dim" / "dark")
    image = next((photos / "test" / "bright").iterdir())
    image.rename(image.parent / "\udcff\n.png")
    evaluate("renamed", "test", "--output", "record.json")
    record = read_json(photos / "record.json", Evaluation)
    assert [(one.name, one.n_images > 0) for one in record.classes] == [
        ("dim/dark", True),
        ("bright", True),
    ]


def loose(photos):
    shutil.copy(next((photos / "test").glob("*/*")), photos / "test" / "loose.png")


def broken(photos):
    (photos / "test" / "dark" / "broken.png").write_text("no image")


MISTAKES = {
    "class": (
        lambda p: (p / "test" / "dark").rename(p / "test" / "black"),
        "test",
        "DATA: 'test' has the classes 'black', which .*; rename .* dark, bright",
    ),
    "parts": (lambda _: None, ".", "has the classes 'test', 'train', which"),
    "loose": (loose, "test", r"1 image in no class folder \(such as loose.png\); move"),
    "broken": (broken, "test", "broken.png .*replace or remove it\n1 of 21 images .* nothing was"),
    "empty": (lambda p: (p / "none").mkdir(), "none", "DATA: 'none' holds no image; give"),
    "missing": (lambda _: None, "nowhere", "DATA: 'nowhere' is missing"),
    "label": (
        lambda p: write_rows(p, ("a.png", "black")),
        "table.csv",
        "'black', which .*; rename",
    ),
    "file": (lambda p: write_rows(p, ("a.png", "dark")), "table.csv", "a.png is not a file; cor"),
    "twice": (lambda p: write_rows(p, *[("a.png", "dark")] * 2), "table.csv", "2 times; remove"),
    "columns": (
        lambda p: write_rows(p, header=("image", "label")),
        "table.csv",
        "columns image, label; expected file and label",
    ),
}


@pytest.mark.parametrize(("change", "data", "message"), MISTAKES.values(), ids=MISTAKES)
def test_wrong_images_are_named_and_nothing_is_scored(
    folder, photos, change, data, message, capsys
):
    change(photos)
    with pytest.raises(InputError, match=message):
        evaluate(folder, data, "--output", "record.json")
    assert not (photos / "record.json").exists()
    assert capsys.readouterr().out == ""
