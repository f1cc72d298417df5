"""A damaged, newer or incomplete model is one line with a remedy."""

import json

import pytest

from foldwise.core.errors import InputError
from foldwise.ship.predict import Predictor


def cut(folder, name, n):
    (folder / name).write_bytes((folder / name).read_bytes()[:n])


def flip(folder):
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def description(folder, **keys):
    model = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(model | keys))


def network(folder, **keys):
    network = json.loads((folder / "model.json").read_text())["network"]
    description(folder, network=network | keys)


BAD_MODELS = {
    "weights cut": (
        lambda f: cut(f, "model.safetensors", 99),
        "99 bytes.* is cut or changed; copy",
    ),
    "weights changed": (flip, "is cut or changed; copy"),
    "weights missing": (lambda f: (f / "model.safetensors").unlink(), "is missing; copy"),
    "cut": (lambda f: cut(f, "model.json", 99), "is not JSON .*: it is cut or changed; copy"),
    "missing": (lambda f: (f / "model.json").unlink(), "holds no model.json; give the folder"),
    "newer": (
        lambda f: description(f, format=2, version="9.1", heads=3),
        "has format 2, of Foldwise 9.1; this version reads format 1: install",
    ),
    "unknown key": (lambda f: description(f, heads=3), "heads is not a known key"),
    "other network": (lambda f: network(f, builder="zoo.nin"), "does not fit: .* copy"),
    "other class count": (lambda f: description(f, classes=["a"]), "classes .* the 2 of network"),
    "other size": (lambda f: network(f, width=14), "preparation.width is 12; expected 14"),
    "not calibrated": (lambda f: description(f, calibrated=None), "is not calibrated; give"),
}


@pytest.mark.parametrize(("damage", "message"), BAD_MODELS.values(), ids=BAD_MODELS)
def test_a_damaged_model_is_one_line(changed, damage, message):
    folder = changed()
    damage(folder)
    with pytest.raises(InputError, match=message) as caught:
        Predictor(folder, "cpu")
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
