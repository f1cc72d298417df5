"""The architectures that Foldwise knows by name.

Plain data, so that params.yaml can be checked without importing torch.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from stages.contracts.strict import did_you_mean

TIMM = "timm_"  # before the name that timm has for a network; a colon would not survive in DVC

_RESNET = "Deep Residual Learning for Image Recognition"
_RESNEXT = "Aggregated Residual Transformation for Deep Neural Networks"
_VGG = "Very Deep Convolutional Networks for Large-Scale Image Recognition"
_DENSENET = "Densely Connected Convolutional Networks"
_MOBILENET_V3 = "Searching for MobileNetV3"
_MNASNET = "MnasNet: Platform-Aware Neural Architecture Search for Mobile"
_SHUFFLENET = "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design"
_EFFICIENTNET = "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
_EFFICIENTNET_V2 = "EfficientNetV2: Smaller Models and Faster Training"
_REGNET = "Designing Network Design Spaces"
_CONVNEXT = "A ConvNet for the 2020s"
_VIT = "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale"
_SWIN = "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows"
_SWIN_V2 = "Swin Transformer V2: Scaling Up Capacity and Resolution"

_NAMES_BY_PAPER = {
    "One weird trick for parallelizing convolutional neural networks": "alexnet",
    _VGG: "vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn",
    "Going Deeper with Convolutions": "googlenet",
    "Rethinking the Inception Architecture for Computer Vision": "inception_v3",
    _RESNET: "resnet18 resnet34 resnet50 resnet101 resnet152",
    "Wide Residual Networks": "wide_resnet50_2 wide_resnet101_2",
    _RESNEXT: "resnext50_32x4d resnext101_32x8d resnext101_64x4d",
    _DENSENET: "densenet121 densenet161 densenet169 densenet201",
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters": "squeezenet1_0",
    "official SqueezeNet repo": "squeezenet1_1",
    "MobileNetV2: Inverted Residuals and Linear Bottlenecks": "mobilenet_v2",
    _MOBILENET_V3: "mobilenet_v3_small mobilenet_v3_large",
    _MNASNET: "mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3",
    _SHUFFLENET: "shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0",
    _EFFICIENTNET: " ".join(f"efficientnet_b{depth}" for depth in range(8)),
    _EFFICIENTNET_V2: "efficientnet_v2_s efficientnet_v2_m efficientnet_v2_l",
    _REGNET: (
        "regnet_x_400mf regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf regnet_x_16gf "
        "regnet_x_32gf regnet_y_400mf regnet_y_800mf regnet_y_1_6gf regnet_y_3_2gf regnet_y_8gf "
        "regnet_y_16gf regnet_y_32gf regnet_y_128gf"
    ),
    _CONVNEXT: "convnext_tiny convnext_small convnext_base convnext_large",
    _VIT: "vit_b_16 vit_b_32 vit_l_16 vit_l_32 vit_h_14",
    _SWIN: "swin_t swin_s swin_b",
    _SWIN_V2: "swin_v2_t swin_v2_s swin_v2_b",
    "MaxViT: Multi-Axis Vision Transformer": "maxvit_t",
}

TORCHVISION: dict[str, str] = {  # name -> where it was published
    name: paper for paper, names in _NAMES_BY_PAPER.items() for name in names.split()
}
OWN: tuple[str, ...] = tuple(
    sorted(
        path.stem
        for path in Path(__file__).with_name("networks").glob("*.py")
        if path.stem != "__init__"
    )
)
MODELS: tuple[str, ...] = (*OWN, *TORCHVISION)
TAKE_WEIGHTS: tuple[str, ...] = ("resnet18_transfer",)  # and do not work without


def is_known(name: str) -> bool:
    """Return whether a name is an architecture's, or has the form of one of timm's.

    Which networks timm has is known only once it is imported.
    """
    return name in MODELS or re.fullmatch(rf"{TIMM}[a-z0-9_]+", name) is not None


def expectation(name: str, defined: Iterable[str] = ()) -> str:
    """Return what is expected instead of an unknown name, and which known one is near.

    Args:
        name: As the user wrote it.
        defined: Names that params.yaml defines.
    """
    some = f": {', '.join(OWN)}, or one of torchvision's such as resnet18"
    near = did_you_mean(name, [*MODELS, *(one for one in defined if one != name)])
    return f"the name of an architecture{near or some}"
