"""Exported files give the answers of PyTorch, everywhere."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.exports import ALL, export_untrained
from foldwise.core.errors import InputError
from foldwise.files.base import read_json
from foldwise.files.final import ExportRecord, FinalModel
from foldwise.files.params import read_params
from foldwise.ship.export import compare_exports, export_all
from foldwise.ship.model import predict_all, read_model
from stages import export

ROOT = Path(__file__).parents[2]
N = 48
# Predicts images by a file of the export, without PyTorch and without this project.
OUTSIDE = """
import json, sys
import numpy as np, onnxruntime
sys.path.insert(0, ".")
from read_image import read_image
model = json.load(open("model.json"))
session = onnxruntime.InferenceSession("model.onnx")
images = np.stack([read_image(path, model["preparation"]) for path in sys.argv[1:]])
print(json.dumps(session.run(None, {"images": images})[0].tolist()))
assert not {"torch", "foldwise"} & set(sys.modules)
facts = session.get_modelmeta().custom_metadata_map
assert json.loads(facts["classes"]) == model["classes"]
assert json.loads(facts["test"])["accuracy"] == model["test"]["accuracy"]
"""


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


def test_another_process_without_torch_and_foldwise_predicts_the_same(exported, shipped, tmp_path):
    folder, _ = exported
    images = np.array(np.load(shipped / "prepared" / "images.npy")[N:])
    paths = [tmp_path / f"{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image[:, :, 0]).save(path)
    command = [sys.executable, "-I", "-c", OUTSIDE, *map(str, paths)]
    output = subprocess.check_output(command, cwd=folder, text=True)
    _, classifier = read_model(folder)
    expected = predict_all(classifier, images, "cpu")
    assert np.allclose(json.loads(output), expected, atol=1e-5)


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
