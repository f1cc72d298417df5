"""Exported files give the answers of PyTorch, everywhere."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from benchmarks.exports import ALL, export_untrained
from foldwise.core.errors import InputError
from foldwise.files.base import read_json
from foldwise.files.final import ExportRecord, FinalModel
from foldwise.files.params import read_params
from foldwise.ship.export import compare_exports, export_all
from foldwise.ship.model import read_model
from foldwise.ship.predict import Predictor
from stages import export

ROOT = Path(__file__).parents[2]
N = 48
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
CARD = (ROOT / "foldwise/report/templates/model_card.md.j2").read_text()
# The programs that the model card and the page show, and the packages that each must do without.
EXAMPLES = {
    "card, ONNX": (PYTHON.findall(CARD)[0], ("torch", "foldwise")),
    "card, pt2": (PYTHON.findall(CARD)[1], ("onnxruntime", "foldwise")),
    "page, ONNX": (PYTHON.findall((ROOT / "docs/final.md").read_text())[0], ("torch", "foldwise")),
}


@pytest.fixture(scope="module")
def exported(shipped, tmp_path_factory):
    """Return the folder of the exported model and its record."""
    root = tmp_path_factory.mktemp("exported")
    names = {
        **{"params": shipped / "params.yaml", "model": shipped / "model"},
        **{"calibration": shipped / "calibration.json", "test": shipped / "final" / "test.json"},
        **{"dataset": shipped / "prepared"},
        **{"output": root / "export", "record": root / "export.json"},
    }
    export.main([str(word) for flag, path in names.items() for word in (f"--{flag}", path)])
    return root / "export", read_json(root / "export.json", ExportRecord)


def test_every_file_gives_the_same_classes_at_every_batch_size(exported):
    folder, record = exported
    names = ["model.safetensors", "model.pt2", "model.onnx"]
    assert [each.file for each in record.files] == names
    for each in record.files:
        assert each.same_class == 1
        assert each.largest_difference <= 1e-4
        assert each.bytes == (folder / each.file).stat().st_size
        assert each.image_seconds > 0


@pytest.mark.parametrize(("code", "missing"), EXAMPLES.values(), ids=EXAMPLES)
def test_a_printed_example_predicts_without_foldwise_and_warns_of_nothing(
    exported, shipped, tmp_path, code, missing
):
    folder, _ = exported
    shutil.copytree(folder, tmp_path / "model")
    image = np.array(np.load(shipped / "prepared" / "images.npy")[N])
    Image.fromarray(image[:, :, 0]).save(tmp_path / "model" / "photo.jpg", quality=100)
    # A process of its own, although torch loads for seconds: only there is no Foldwise.
    blocked = "".join(f"import sys; sys.modules[{name!r}] = None\n" for name in missing)
    (tmp_path / "model" / "use.py").write_text(blocked + code)
    command = [sys.executable, "-W", "error", "use.py"]
    result = subprocess.run(
        command, cwd=tmp_path / "model", capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    (expected,) = Predictor(folder, "cpu").predict([tmp_path / "model" / "photo.jpg"])
    label, probability = result.stdout.split()
    assert (label, float(probability)) == pytest.approx(expected.ranking[0], abs=1e-5)


def test_the_output_of_torch_export_needs_no_gradient(exported):
    module = torch.export.load(exported[0] / "model.pt2").module()
    assert not module(torch.zeros(3, 12, 12, 1, dtype=torch.uint8)).requires_grad


def test_the_metadata_of_onnx_is_that_of_the_description(exported):
    folder, _ = exported
    model = json.loads((folder / "model.json").read_text())
    facts = onnxruntime.InferenceSession(folder / "model.onnx").get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"]) == model["classes"]
    assert json.loads(facts["test"]) == model["test"]


def test_the_description_is_complete(exported, shipped):
    folder, _ = exported
    model = read_json(folder / "model.json", FinalModel)
    test = json.loads((shipped / "final" / "test.json").read_text())
    assert model.test.accuracy == test["accuracy"]
    assert model.calibrated.coverage == 0.9
    assert model.classes == ["dark", "bright"]


def test_a_file_that_answers_otherwise_is_refused_with_the_image(exported):
    folder, _ = exported
    images = np.zeros((3, 12, 12, 1), dtype=np.uint8)

    def torch_like(batch):
        return np.tile(np.float32([0.7, 0.3]), (len(batch), 1))

    def shifted(batch):
        output = torch_like(batch)
        output[:, 0] -= 2e-4 * (len(batch) == 2)
        return output

    exports = {"model.safetensors": torch_like, "model.onnx": shifted}
    message = r"model\.onnx: a\.png .*difference 2\.0e-04; at most 0\.0001\); report"
    with pytest.raises(InputError, match=message):
        compare_exports(folder, exports, images, ["a.png", "b.png", "c.png"])


BRANCHES = """
from torch import nn

class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(144, 2)

    def forward(self, images):
        flat = images.flatten(1)
        return self.layer(flat) if flat.sum() > 0 else self.layer(-flat)
"""


def own_network(made, tmp_path, monkeypatch, text, attribute):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "mine.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    return made.network_of("from_file", file="nets/mine.py", attribute=attribute)


def test_what_cannot_be_exported_is_named(made, shipped, tmp_path, monkeypatch):
    network = own_network(made, tmp_path, monkeypatch, BRANCHES, "Branches")
    made.write_comparison(tmp_path, network)
    made.run_refit(tmp_path)
    model, classifier = read_model(tmp_path / "model")
    with pytest.raises(InputError, match=r"cannot be exported to torch\.export \(.*; replace") as e:
        export_all(tmp_path / "export", tmp_path / "model", model, classifier, tmp_path)
    assert "\n" not in str(e.value)


@pytest.mark.timeout(600)
@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_architecture_is_exported_and_agrees(name):
    row = export_untrained(name, read_params(ROOT / "params.yaml", "build"))
    assert "error" not in row
    assert [file["same_class"] for file in row["files"]] == [1, 1, 1]
