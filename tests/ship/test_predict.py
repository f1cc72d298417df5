"""Predictions of image files: every image in a row, clear errors, own networks elsewhere."""

import csv
import errno
import io
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from dataset_info import info_of
from PIL import Image

from foldwise.cli.main import run_command
from foldwise.core.errors import InputError
from foldwise.data import threads
from foldwise.files.architecture import BuildSection
from foldwise.files.final import Calibrated
from foldwise.nets.resolve import resolve
from foldwise.ship.conformal import prediction_sets
from foldwise.ship.export import copy_model
from foldwise.ship.model import own_files, predict_all, read_model
from foldwise.ship.predict import Predictor, find_images

N = 48  # training images of `shipped`; its test images follow


@pytest.fixture
def images(shipped, tmp_path):
    """Save the test images, the last two in a sub-folder; return the folder and their pixels."""
    pixels = np.array(np.load(shipped / "prepared" / "images.npy")[N:])
    for number, image in enumerate(pixels):
        path = tmp_path / "photos" / ("more" if number > 17 else "") / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(path)
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    return tmp_path / "photos", pixels


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def predict(*arguments):
    run_command(["predict", *map(str, arguments)])


def test_every_image_is_a_row_in_the_order_of_the_input(folder, images, capsys):
    root, pixels = images
    (root / "05a.png").write_text("no image at all")
    predict(folder, root, "--batch-size", 7)
    rows = rows_of((output := capsys.readouterr()).out)
    files = [f"{n:02}.png" for n in range(18)] + ["more/18.png", "more/19.png"]
    files.insert(6, "05a.png")
    assert [row["file"] for row in rows] == [str(root / file) for file in files]
    broken = rows.pop(6)
    assert "replace or remove" in broken.pop("error")
    assert not any(value for key, value in broken.items() if key != "file")
    assert "05a.png is empty or not an image" in output.err
    assert "1 of 21 images could not be read" in output.err
    model, classifier = read_model(folder)
    expected = predict_all(classifier, pixels, torch.device("cpu"))
    names = np.array(model.classes)
    assert [row["class"] for row in rows] == names[expected.argmax(axis=1)].tolist()
    assert [row["class_2"] for row in rows] == names[expected.argmin(axis=1)].tolist()
    values = [[float(row["probability"]), float(row["probability_2"])] for row in rows]
    assert np.allclose(values, -np.sort(-expected), atol=2e-6)
    sets = prediction_sets(expected.astype(float), model.calibrated.threshold)
    assert [set(row["prediction_set"].split(";")) for row in rows] == [
        set(names[is_member]) for is_member in sets
    ]


def test_files_patterns_and_standard_input_give_the_same(folder, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = find_images(["photos"])
    assert sorted(find_images(["photos/*.png", "photos/more"])) == files
    assert sorted(find_images(["photos/**/*.png"])) == files
    assert len(find_images(["photos/**"])) == len(files) + 1  # and notes.txt, once
    lines = "\n".join(files).encode() + b"\r\n\nphotos/\xff.png\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    relative = os.path.relpath(folder)
    predict(relative, "--output", "stdin.jsonl", "--format", "jsonl", "--top", 1, "-")
    predict(relative, *files, "--output", "files.csv")
    rows = [json.loads(line) for line in Path("stdin.jsonl").read_text().splitlines()]
    assert rows.pop() == {"file": "photos/\udcff.png", "error": "is not a file; correct the path"}
    assert [row["file"] for row in rows] == files
    assert all(len(row["top"]) == 1 for row in rows)
    table = rows_of(Path("files.csv").read_text())
    assert [row["class"] for row in rows] == [row["class"] for row in table]
    assert {row["top"][0]["probability"] == row["probability"] for row in rows} == {True}


def test_a_path_that_cannot_be_read_is_a_row(folder, images, monkeypatch, capsys):
    root, _ = images
    (root / "locked").mkdir()
    (root / "locked" / "0.png").write_bytes((root / "00.png").read_bytes())
    is_file = Path.is_file

    def without_permission(path):
        if path.parent.name == "locked":  # the tests may run as root, who may read everything
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", without_permission)
    names = [root / ("n" * 300), root / "locked" / "0.png", root / "00.png"]
    lines = "".join(f"{name}\n" for name in names).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    predict(folder, "-")
    rows = rows_of(capsys.readouterr().out)
    assert ["cannot be read (" in row["error"] for row in rows] == [True, True, False]


def test_short_memory_stops_the_command_and_names_the_file(folder, images, monkeypatch):
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("foldwise.ship.predict.decode_image", fail)
    with pytest.raises(OSError, match=r"Cannot allocate memory: '.*00\.png'"):
        predict(folder, images[0])


def test_a_folder_without_images_does_not_stop_a_pattern(images):
    root, _ = images
    (root / "empty").mkdir()
    assert len(find_images([f"{root}/[em]*"])) == 2


def test_an_output_that_is_a_folder_is_refused_before_images_are_read(folder, images, monkeypatch):
    monkeypatch.setattr("foldwise.ship.predict.read_pixels", pytest.fail)
    with pytest.raises(InputError, match="photos is a folder; name a file"):
        predict(folder, images[0], "--output", images[0])


def test_class_names_of_any_characters_are_kept(changed, images, capsys):
    names = ['a;b, "c"\r\nd', "ü\r"]
    folder = changed(
        classes=names, calibrated={"temperature": 9.0, "coverage": 0.9, "threshold": 0.0}
    )
    predict(folder, images[0] / "00.png")
    (row,) = rows_of(capsys.readouterr().out)
    (members,) = csv.reader([row["prediction_set"]], delimiter=";")
    assert {row["class"], row["class_2"]} == set(members) == set(names)
    predict(folder, images[0] / "00.png", "--format", "jsonl")
    assert set(json.loads(capsys.readouterr().out)["prediction_set"]) == set(names)


def test_files_are_read_only_a_few_batches_ahead(folder, images):
    root, _ = images
    taken = count()
    endless = (str(root / f"0{next(taken) % 10}.png") for _ in count())
    predictions = Predictor(folder, "cpu").predict(endless, batch_size=4)
    assert next(predictions).file.endswith("00.png")
    predictions.close()
    assert next(taken) <= 4 + (threads.AHEAD * threads.count_cores() + 2) * threads.BATCH


def test_a_reader_that_ends_ends_the_command_quietly(folder, images, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as caught:
            predict(folder, images[0])
    assert caught.value.code == 141


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "'none.png' does not exist; correct"),
        (["none.png", "x/*"], "'x/[*]' matches no image; correct"),
        (["empty*"], "'empty[*]' matches no image; correct"),
        ([""], "'' is empty; name"),
        ([f"{'n' * 300}.png"], r"'nnn.*' cannot be read \(File name too long\); correct"),
        (["empty"], r"'empty' holds no image, only 1 other file \(1 .txt\); name another"),
        (["-", "a.png"], "leave out either"),
        (["-"], "standard input lists no file; write"),
        (["empty/notes.txt"], "none of 1 image could be read"),
    ],
)
def test_images_that_do_not_exist_are_an_error(folder, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no image")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    with pytest.raises(InputError, match=message):
        predict(folder, *arguments)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_one_line(folder):
    with pytest.raises(InputError, match=r"--device is cuda.* set it to auto or cpu"):
        Predictor(folder, "cuda")


MINE = """
from torch import nn
from nets.blocks._flat import Flat

class Mine(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), Flat(), nn.Linear(400, n_classes))

    def forward(self, images):
        return self.layers(images)
"""
FLAT = "from torch import nn\nclass Flat(nn.Flatten):\n    pass\n"


@pytest.fixture
def own_export(made, tmp_path, monkeypatch):
    """Export a network in a file of the user's that imports another, and leave its project."""
    project = tmp_path / "project"
    (project / "nets" / "blocks").mkdir(parents=True)
    (project / "nets" / "mine.py").write_text(MINE)
    (project / "nets" / "blocks" / "_flat.py").write_text(FLAT)
    monkeypatch.chdir(project)
    joined = {"layers": [{"name": "part", "take": "mine.layers"}]}
    sections = {"mine": {"file": "nets/mine.py:Mine"}, "joined": joined}
    build = BuildSection.model_validate({"architectures": sections})
    info = info_of(["dark", "bright"], (12, 12, 1), N, 20)
    network, composition = (resolve(name, build, info) for name in sections)
    assert own_files(composition) == own_files(network) != []
    made.write_comparison(project, network)
    made.run_refit(project)
    model, _ = read_model(project / "model")
    calibrated = Calibrated(temperature=1.0, coverage=0.9, threshold=0.5)
    complete = model.model_copy(update={"calibrated": calibrated})
    copy_model(tmp_path / "sent", project / "model", complete, project)
    shutil.rmtree(project)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "sent"


def test_an_own_network_predicts_elsewhere(own_export, images):
    predict("sent", "photos", "--output", "rows.csv")
    assert {row["class"] for row in rows_of(Path("rows.csv").read_text())} <= {"dark", "bright"}
    flat = own_export / "nets" / "blocks" / "_flat.py"
    flat.write_text(f"# a comment\n{FLAT}")
    Predictor("sent")
    flat.write_text(FLAT.replace("pass", "end_dim = 2"))
    with pytest.raises(InputError, match=r"_flat\.py has changed .*; restore it: copy"):
        Predictor("sent")
    flat.unlink()
    with pytest.raises(InputError, match=r"nets\.blocks\._flat"):
        Predictor("sent")


@pytest.mark.parametrize("arguments", [[], ["a.png", "--top", "0"], ["a.png", "--batch-size", "x"]])
def test_missing_images_and_wrong_numbers_are_errors(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        predict("model", *arguments)
    assert caught.value.code == 2
    assert re.search("required: IMAGES|whole number of at least 1", capsys.readouterr().err)


def test_help_imports_no_torch():
    code = "import sys; from foldwise.cli.main import _parser; _parser(); print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"torch", "numpy", "pydantic"} & set(modules)
