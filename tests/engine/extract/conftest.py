import numpy as np
import pytest
import torch
import yaml
from dataset_info import info_of

from foldwise.files.architecture import ArchitectureSection, BuildSection
from foldwise.files.dataset import Samples, create_images, write_dataset, write_digests
from foldwise.files.network import ChannelStatistics, write_network
from foldwise.files.params import AugmentSection
from foldwise.files.split import write_recipe
from foldwise.nets.freezing import resolve_freezing
from foldwise.nets.network import construct
from foldwise.nets.resolve import resolve
from foldwise.nets.weights.tensors import digest_weights, write_initial_weights

SHARED = ChannelStatistics(mean=[0.5], std=[0.25])
OFF = {"shift": 0, "flip": 0, "rotation": 0, "erase": 0, "brightness": 0, "contrast": 0}
N, N_TEST, SIDE = 30, 4, 16


@pytest.fixture
def case(tmp_path):
    """Write 30 images, a network of which a part never trains, and return what to run."""

    def case(base="narrow_vgg", views=2, most=1.0, normalisation=SHARED, augment=None, **section):
        rng = np.random.default_rng(0)
        images = create_images(tmp_path / "prepared", (N + N_TEST, SIDE, SIDE, 1))
        images[:] = rng.integers(0, 256, images.shape)
        labels = np.arange(N + N_TEST) % 3
        info = info_of("abc", (SIDE, SIDE, 1), N, N_TEST)
        files = [str(index) for index in range(N + N_TEST)]
        is_test = np.arange(N + N_TEST) >= N
        samples = Samples(files, labels, np.arange(len(labels)), is_test)
        write_dataset(tmp_path / "prepared", info, samples)
        write_digests(tmp_path / "prepared", np.arange(N + N_TEST, dtype=np.uint64))
        recipe = AugmentSection(**OFF | (augment or {"shift": 0.2}))
        write_recipe(tmp_path / "augmented", recipe)
        wanted = ArchitectureSection.model_validate({"base": base} | section)
        build = BuildSection.model_construct(architectures={"net": wanted})
        network = resolve_freezing(resolve("net", build, info), wanted, ())
        torch.manual_seed(3)
        made = construct(network, {}).state_dict()
        # Kernels as large as those of He et al. 2015, so that logits depend on the images.
        weights = {name: one * (6**0.5 if one.ndim == 4 else 1) for name, one in made.items()}
        network = network.model_copy(
            update={"normalisation": normalisation, "weights_sha256": digest_weights(weights)}
        )
        write_network(tmp_path / "network", network)
        write_initial_weights(tmp_path / "network", weights)
        params = {
            "extract": {"views": views, "most_gigabytes": most},
            "hardware": {"precision": "float32", "device": "cpu", "threads": 1},
        }
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
        flags = {
            "params": tmp_path / "params.yaml",
            "dataset": tmp_path / "prepared",
            "recipe": tmp_path / "augmented",
            "network": tmp_path / "network",
            "timing": tmp_path / "extraction" / "net.json",
            "output": tmp_path / "features",
        }
        return [str(one) for flag, path in flags.items() for one in (f"--{flag}", path)]

    return case
