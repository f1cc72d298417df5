"""Weights out of repositories on the hub of Hugging Face, from a server on this machine."""

import importlib
import json

import pytest
from safetensors.torch import save
from sourcing import STATE, assert_same, rejection, source_of

from foldwise.nets.weights.sources import open_checkpoint

COMMIT = "0123456789" * 4
CONTENT = save(STATE)
CONFIG = {
    "architecture": "resnet26d",
    "pretrained_cfg": {"input_size": [3, 96, 96], "mean": [0.5] * 3, "std": [0.25] * 3},
}


@pytest.fixture
def repository(site, monkeypatch, tmp_path):
    """Have the hub of Hugging Face be a server on this machine; return how to add a file."""
    huggingface_hub = pytest.importorskip("huggingface_hub")
    constants = importlib.import_module("huggingface_hub.constants")
    template = f"{site.put('', b'')}{{repo_id}}/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    huggingface_hub.close_session()  # it trusts the certificates of an earlier test

    def add(name, content, revision="main"):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{name}"'}
        site.put(f"me/net/{revision}/{name}", content, **headers)

    for revision in ("main", "v2"):
        for name in ("config.json", "model.safetensors", "pytorch_model.bin"):
            site.put(f"me/net/{revision}/{name}", b"", 404, **{"X-Error-Code": "EntryNotFound"})
    yield add
    huggingface_hub.close_session()


@pytest.mark.parametrize(("revision", "suffix"), [("main", ""), ("v2", "@v2")])
def test_weights_and_their_normalisation_come_from_a_repository(repository, revision, suffix):
    repository("model.safetensors", CONTENT, revision)
    repository("config.json", CONFIG, revision)
    source = source_of(f"hf-hub:me/net{suffix}", CONTENT)
    file = open_checkpoint(source, "timm_resnet26d")
    assert_same(file.states[""])
    assert file.title == source.weights
    assert (file.trained_on.height, file.trained_on.std) == (96, [0.25] * 3)
    assert "SHA-256 is " in rejection(
        open_checkpoint, source_of(source.weights, b"other"), "timm_resnet26d"
    )


def test_repository_without_a_config_states_no_normalisation(repository):
    repository("pytorch_model.bin", CONTENT)
    file = open_checkpoint(source_of("hf-hub:me/net", CONTENT), "resnet18")
    assert file.trained_on is None


@pytest.mark.parametrize(
    ("config", "remedy"),
    [
        (CONFIG, "set base to timm_resnet26d"),
        (b"[", "config.json is damaged; give the file"),
        ({"mean": [0.5], "std": [0], "input_size": [1, 9, 9]}, "; give the file of weights itself"),
    ],
)
def test_config_of_another_network_or_damaged_is_refused(repository, config, remedy):
    repository("config.json", config)
    message = rejection(open_checkpoint, source_of("hf-hub:me/net", CONTENT), "timm_resnet26t")
    assert remedy in message


def test_repository_without_weights_is_refused(repository):
    message = rejection(open_checkpoint, source_of("hf-hub:me/net", CONTENT), "resnet18")
    assert "me/net has neither model.safetensors nor pytorch_model.bin; choose" in message
