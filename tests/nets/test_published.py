import re
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save
from sourcing import STATE, assert_same, rejection, saved, sha256, source_of
from torchvision.models import GoogLeNet, Inception3, ResNet18_Weights

from foldwise.files.catalogue import TORCHVISION_MODELS
from foldwise.nets.weights.published import FROM_GOOGLE, find_published
from foldwise.nets.weights.sources import open_checkpoint
from foldwise.nets.weights.tensors import TrainedOn


@pytest.fixture
def published(site, monkeypatch):
    """Put a file where torchvision's ResNet-18 is said to be."""

    def published(content, digits=None):
        name = f"resnet18-{digits or sha256(content)[:8]}.pth"
        url = site.put(name, content)
        monkeypatch.setattr(ResNet18_Weights.IMAGENET1K_V1.value, "url", url)
        return name

    return published


@pytest.mark.parametrize("name", ["IMAGENET1K_V1", "DEFAULT"])
@pytest.mark.parametrize("architecture", ["resnet18", "resnet18_transfer"])
def test_weights_of_torchvision_by_name(site, published, name, architecture):
    file = published(saved(STATE))
    for _ in range(2):
        source = open_checkpoint(source_of(name), architecture)
        assert_same(source.states[""])
        site.pages.clear()
    assert source.title == "IMAGENET1K_V1 of torchvision's resnet18"
    assert source.trained_on == TrainedOn(
        data="ImageNet",
        channels=3,
        height=224,
        width=224,
        mean=[0.485, 0.456, 0.406],
        std=[0.229, 0.224, 0.225],
    )
    assert [path.name for path in site.kept.iterdir()] == [file], "as torchvision itself keeps it"


def test_content_must_have_the_digits_in_its_name(site, published):
    published(saved(STATE), digits="01234567")
    message = rejection(open_checkpoint, source_of("IMAGENET1K_V1"), "resnet18")
    assert f"SHA-256 is {sha256(saved(STATE))}; expected 01234567; " in message
    assert not site.kept.exists()


def test_content_in_the_cache_must_have_the_digits_in_its_name(site, published):
    file = published(saved(STATE))
    site.kept.mkdir(parents=True)
    (site.kept / file).write_bytes(b"damaged")
    message = rejection(open_checkpoint, source_of("IMAGENET1K_V1"), "resnet18")
    assert f"; delete the earlier download {site.kept / file}" in message


def test_named_weights_must_have_the_hash_that_is_given(site, published):
    content = saved(STATE)
    published(content)
    assert open_checkpoint(source_of("DEFAULT", content), "resnet18").sha256 == sha256(content)
    message = rejection(open_checkpoint, source_of("DEFAULT", b"another"), "resnet18")
    assert f"SHA-256 is {sha256(content)}, but weights_sha256 is {sha256(b'another')}" in message


def test_unknown_name_is_answered_with_those_that_there_are():
    message = rejection(open_checkpoint, source_of("IMAGENET1K_V3"), "resnet50")
    assert "IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT; did you mean 'IMAGENET1K_V2'?" in message


@pytest.mark.parametrize("architecture", ["lenet5", "my_net"])
def test_name_for_a_network_that_nobody_publishes(architecture):
    message = rejection(open_checkpoint, source_of("IMAGENET1K_V1"), architecture)
    assert f"{architecture} has no published weights; give a file or an " in message


@pytest.mark.parametrize("architecture", TORCHVISION_MODELS)
def test_default_of_every_network_of_torchvision_is_known(architecture):
    published = find_published(architecture, "DEFAULT")
    assert re.search(r"-[0-9a-f]{8,64}\.pth$", published.location)
    assert published.trained_on.channels == len(published.trained_on.std) == 3
    assert published.trained_on.height >= 224


@pytest.mark.parametrize("architecture", FROM_GOOGLE)
def test_networks_from_google_get_the_normalisation_that_torchvision_makes_for_them(architecture):
    kind = {"googlenet": GoogLeNet, "inception_v3": Inception3}[architecture]
    images = torch.rand(2, 3, 4, 4)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normalised = (images - mean[:, None, None]) / std[:, None, None]
    expected = kind._transform_input(SimpleNamespace(transform_input=True), normalised)
    known = find_published(architecture, "DEFAULT").trained_on
    mean, std = torch.tensor(known.mean), torch.tensor(known.std)
    ours = (images - mean[:, None, None]) / std[:, None, None]
    torch.testing.assert_close(ours, expected)


# timm


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Have the hub of Hugging Face answer from a folder, or raise."""
    pytest.importorskip("timm")
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError

    files = {}

    def answer(repository, name, revision=None):
        assert revision is None
        found = files.get(f"{repository}/{name}", EntryNotFoundError("no such file"))
        if isinstance(found, Exception):
            raise found
        (tmp_path / name).write_bytes(found)
        return str(tmp_path / name)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", answer)
    return files


@pytest.mark.parametrize(
    ("file", "content"), [("model.safetensors", save(STATE)), ("pytorch_model.bin", saved(STATE))]
)
@pytest.mark.parametrize("name", ["bt_in1k", "DEFAULT"])
def test_weights_of_timm_by_tag(hub, file, content, name):
    hub[f"timm/resnet26d.bt_in1k/{file}"] = content
    source = open_checkpoint(source_of(name), "timm_resnet26d")
    assert_same(source.states[""])
    assert source.title == "bt_in1k of timm's resnet26d"
    assert (source.trained_on.channels, source.trained_on.height) == (3, 224)
    assert source.trained_on.mean == [0.485, 0.456, 0.406]


def test_unknown_tag_is_answered_with_those_that_there_are(hub):
    message = rejection(open_checkpoint, source_of("bt_in1"), "timm_resnet26d")
    assert "bt_in1k, DEFAULT; did you mean 'bt_in1k'?" in message


def test_hub_out_of_reach(hub):
    from huggingface_hub.errors import LocalEntryNotFoundError

    hub["timm/resnet26d.bt_in1k/model.safetensors"] = LocalEntryNotFoundError("no\nconnection")
    message = rejection(open_checkpoint, source_of("bt_in1k"), "timm_resnet26d")
    assert "timm/resnet26d.bt_in1k failed (no connection); check the network" in message


def test_repository_without_weights(hub):
    message = rejection(open_checkpoint, source_of("bt_in1k"), "timm_resnet26d")
    assert "neither model.safetensors nor pytorch_model.bin; choose other weights" in message


def test_file_without_its_hash_in_its_name_needs_one(hub):
    tag = "in1k_ijepa"
    message = rejection(open_checkpoint, source_of(tag), "timm_vit_huge_patch14_gap_224")
    assert message.endswith("set weights_sha256")
