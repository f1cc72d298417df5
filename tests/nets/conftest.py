import hashlib
from types import SimpleNamespace

import dataset_info
import numpy as np
import pytest
import torch
import yaml
from families import DEEPER
from safetensors.torch import save_file
from secure_site import serve
from sourcing import STATE, network_like, source_of
from torchvision.models import resnet18

from foldwise.files.architecture import ArchitectureSection, BuildSection
from foldwise.files.base import write_json
from foldwise.files.dataset import write_digests
from foldwise.nets import latency
from foldwise.nets.freezing import resolve_freezing
from foldwise.nets.resolve import frozen_by_default, resolve
from foldwise.nets.weights.choice import choose_tensors
from foldwise.nets.weights.pretrained import load_pretrained
from foldwise.nets.weights.sources import open_checkpoint
from stages.build import main


def pytest_collection_modifyitems(items):
    """Leave deeper networks to the slow tests, but for the tests of every network."""
    for item in items:
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        is_deeper = any(isinstance(value, str) and value in DEEPER for value in parameters)
        if is_deeper and not item.get_closest_marker("every_network"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def info_of():
    """Make the facts of a data set, of 10 classes if not said otherwise."""

    def facts_of(channels=1, height=28, width=None, n_classes=10):
        return dataset_info.info_of(
            [f"class {index}" for index in range(n_classes)],
            (height, width or height, channels),
            80,
            20,
        )

    return facts_of


@pytest.fixture
def network_of(info_of):
    """Resolve an architecture for images of a shape, frozen and thawed as its section says."""

    def network_of(model, *shape, **section):
        wanted = ArchitectureSection.model_validate(section)
        build = BuildSection.model_construct(architectures={model: wanted})
        network = resolve(model, build, info_of(*shape))
        default = frozen_by_default(network)
        return resolve_freezing(network, wanted, default) if section or default else network

    return network_of


@pytest.fixture
def build(tmp_path, info_of, monkeypatch):
    """Run the stage, each measurement once and quickly; return the folders of both outputs."""
    for name, value in {"SECONDS": 0.0, "BATCH_SIZE": 2, "count_cores": lambda: 1}.items():
        monkeypatch.setattr(latency, name, value)

    def build(model, *shape, output="out", architectures=None):
        params = tmp_path / "params.yaml"
        params.write_text(yaml.safe_dump({"build": {"architectures": architectures or {}}}))
        write_json(tmp_path / "prepared" / "dataset.json", info_of(*shape))
        write_digests(tmp_path / "prepared", np.arange(100, dtype=np.uint64))
        network, summary = tmp_path / output / "network", tmp_path / output / "summary"
        main(
            [
                *("--params", str(params), "--dataset", str(tmp_path / "prepared")),
                *("--model", model, "--network", str(network), "--summary", str(summary)),
                *("--latency", str(tmp_path / "latency" / f"{model}.json")),
            ]
        )
        return network, summary

    return build


@pytest.fixture(scope="session")
def trained_state():
    """The state of a ResNet-18 for 1,000 classes that has seen images.

    The largest kernels repeat one number, so that a file of the state has 5 instead of 45 MB.
    """
    torch.manual_seed(1)
    module = resnet18(weights=None)
    module(torch.randn(4, 3, 32, 32))
    return {
        name: value[0, 0, 0, 0].expand(value.shape)
        if value.numel() > 10**5 and value.ndim == 4
        else value
        for name, value in module.state_dict().items()
    }


@pytest.fixture
def weights_file(tmp_path):
    """Save something as a file of weights; return what params.yaml says of it."""

    def weights_file(content, name="weights.pt"):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif name.endswith(".safetensors"):
            save_file({key: value.contiguous() for key, value in content.items()}, path)
        else:
            torch.save(content, path)
        return {
            "weights": str(path),
            "weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }

    return weights_file


@pytest.fixture
def opened(tmp_path):
    """Open a source of weights, a file of this content."""

    def opened(content, name="weights.pt", *, trust_pickle=False):
        path = tmp_path / name
        path.write_bytes(content)
        source = source_of(path, content, trust_pickle=trust_pickle)
        return choose_tensors(open_checkpoint(source, "resnet18"), source, network_like(STATE))

    return opened


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Serve pages over https."""
    with serve(tmp_path, monkeypatch) as site:
        yield site


@pytest.fixture
def begin(info_of):
    """Settle an architecture and let it start from its weights."""

    def begin(model, *shape, **section):
        wanted = ArchitectureSection.model_validate(section)
        build = BuildSection(architectures={model: wanted})
        network = resolve(model, build, info_of(*shape))
        network = resolve_freezing(network, wanted, frozen_by_default(network))
        network, pretrained = load_pretrained(network, wanted)
        return SimpleNamespace(network=network, weights=pretrained.tensors, findings=pretrained)

    return begin
