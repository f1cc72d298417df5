import pytest
import torch

from foldwise.core.errors import InputError
from foldwise.files.architecture import ArchitectureSection
from foldwise.files.network import ChannelStatistics
from foldwise.nets.weights.cautions import IMAGENET, Fill, choose, find_cautions, for_channels
from foldwise.nets.weights.matching import TargetTensors, match_tensors
from foldwise.nets.weights.sources import WeightFile
from foldwise.nets.weights.tensors import TrainedOn

KEY = "build.architectures.net.normalisation"
PHOTOS = TrainedOn(
    data="ImageNet", channels=3, height=224, width=224, mean=IMAGENET.mean, std=IMAGENET.std
)
GREY = ChannelStatistics(mean=[0.25], std=[0.5])


def section(normalisation):
    return ArchitectureSection.model_validate({"normalisation": normalisation})


def fill(trained_on=PHOTOS, **changes):
    """Fill a part of 20 tensors; two kernels take as many channels as the image has."""
    given = {"into": "", "title": "net", "architecture": "resnet18", "sha256": "0" * 64}
    given |= {"source": "w.pt", "state": {}, "channels": 3} | changes
    kernels = dict.fromkeys(["conv.weight", "inner.weight"], (2, given["channels"], 3, 3))
    shapes = kernels | {f"layer{index}.weight": (2, 2) for index in range(18)}
    part = TargetTensors(
        into=given["into"],
        title=given["title"],
        architecture=given["architecture"],
        prefix="",
        wanted={name: torch.empty(shape, device="meta") for name, shape in shapes.items()},
        kernels=frozenset(kernels),
    )
    state = {name: torch.ones(shape) for name, shape in shapes.items()} | given["state"]
    source = WeightFile("said", given["source"], given["sha256"], state, trained_on)
    return Fill(part, source, match_tensors(part, source))


@pytest.fixture
def cautions(network_of):
    def cautions(fills, channels=3, side=224, *, normalisation=IMAGENET):
        network = network_of("lenet5", channels, side)
        network = network.model_copy(update={"name": "net", "normalisation": normalisation})
        found = find_cautions(network, fills)
        assert all(one.isprintable() and not one.endswith(".") for one in found)
        return found

    return cautions


def test_no_caution_where_weights_meet_like_data(cautions):
    assert cautions([fill()]) == []


@pytest.mark.parametrize(
    ("trained", "channels", "sentence"),
    [
        (PHOTOS, 1, "w.pt was trained on images of 3 channels, these have 1"),
        (None, 4, "w.pt was trained on images of 3 channels, these have 4"),
        (
            PHOTOS.model_copy(update={"channels": 1, "mean": [0.1], "std": [0.2]}),
            3,
            "w.pt was trained on images of 1 channel, these have 3",
        ),
    ],
)
def test_caution_of_other_channels(cautions, trained, channels, sentence):
    state = {"conv.weight": torch.ones(2, trained.channels if trained else 3, 3, 3)}
    filled = fill(trained, channels=channels, state=state)
    own = trained or PHOTOS
    normalisation = for_channels(own.mean, own.std, channels)
    assert cautions([filled], channels, normalisation=normalisation) == [sentence]


@pytest.mark.parametrize(("side", "warned"), [(111, True), (112, False), (500, False)])
def test_caution_of_images_under_half_the_side(cautions, side, warned):
    sentence = (
        f"w.pt was trained on images of 224×224 px, these have {side}×{side}: what they show is "
        "much smaller"
    )
    assert cautions([fill()], 3, side) == [sentence] * warned


def test_shorter_sides_are_compared(cautions):
    wide = PHOTOS.model_copy(update={"height": 32, "width": 600})
    assert cautions([fill(wide)], 3, 28) == []


@pytest.mark.parametrize(
    ("normalisation", "used"),
    [
        (None, "each fold's own"),
        (
            ChannelStatistics(mean=[0.5] * 3, std=[0.25] * 3),
            "mean 0.5, 0.5, 0.5 and std 0.25, 0.25",
        ),
    ],
)
def test_caution_of_another_normalisation(cautions, normalisation, used):
    (sentence,) = cautions([fill()], normalisation=normalisation)
    assert sentence.startswith(
        "w.pt was trained on images normalised by mean 0.485, 0.456, 0.406 and std 0.229, 0.224, "
        f"0.225, here they are by {used}"
    )


def test_caution_of_a_normalisation_that_nothing_names(cautions):
    (sentence,) = cautions([fill(None)], normalisation=None)
    assert sentence == (
        "w.pt does not say for which normalisation its weights were made, and images are "
        "normalised by each fold's own: if the weights are ImageNet's, set "
        "build.architectures.net.normalisation to imagenet"
    )
    assert cautions([fill(None)], normalisation=IMAGENET) == []


def test_caution_of_tensors_that_start_fresh(cautions):
    filled = fill(state={"layer3.weight": None, "layer5.weight": torch.ones(3)})
    assert cautions([filled]) == [
        "2 tensors of net start fresh, since in w.pt layer3.weight is missing, layer5.weight has "
        "shape (3,), not (2, 2)"
    ]
    assert cautions([fill(state={"layer3.weight": None})]) == [
        "1 tensor of net starts fresh, since in w.pt layer3.weight is missing"
    ]


def test_caution_of_two_networks_in_one(cautions):
    mixed = [fill(into="low"), fill(into="high", architecture="vgg11", source="v.pt")]
    assert cautions(mixed) == [
        "weights of 2 networks are mixed, low from w.pt, high from v.pt: none was trained on what "
        "the one before it gives"
    ]
    mixed[1] = fill(into="high", sha256="1" * 64, source="again.pt")
    assert "low from w.pt, high from again.pt" in cautions(mixed)[0], "two trainings of one network"


def test_two_layers_of_one_network_are_not_mixed(cautions):
    assert cautions([fill(into="low"), fill(into="high")]) == []


def test_what_holds_for_two_layers_is_said_once(cautions):
    assert len(cautions([fill(into="low"), fill(into="high")], 3, 28)) == 1


# Normalisation


def test_normalisation_of_the_weights_is_taken_if_none_is_set():
    assert choose(section(None), [PHOTOS], 3, KEY) == IMAGENET
    assert choose(section(None), [], 3, KEY) is None


def test_first_weights_decide():
    other = PHOTOS.model_copy(update={"mean": [0.5] * 3})
    assert choose(section(None), [other, PHOTOS], 3, KEY).mean == [0.5] * 3


def test_what_is_set_is_taken_whatever_the_weights_are():
    for known in ([], [PHOTOS]):
        assert choose(section("folds"), known, 3, KEY) is None
        assert choose(section("imagenet"), known, 3, KEY) == IMAGENET
        assert choose(section({"mean": [0.25], "std": [0.5]}), known, 1, KEY) == GREY


@pytest.mark.parametrize("part", ["mean", "std"])
@pytest.mark.parametrize("n", [0, 1, 4])
def test_statistics_for_other_channels_are_refused(part, n):
    given = {"mean": [0.5] * 3, "std": [0.5] * 3} | {part: [0.5] * n}
    with pytest.raises(InputError) as caught:
        choose(section(given), [], 3, KEY)
    assert str(caught.value) == (
        f"{KEY}.{part} has {n} numbers; expected one for each channel of the images, 3"
    )


def test_statistics_are_adapted_to_the_channels():
    three = ChannelStatistics(mean=[0.25, 0.5, 0.75], std=[0.25, 0.25, 0.5])
    assert for_channels(three.mean, three.std, 3) == three
    one = for_channels(three.mean, three.std, 1)
    assert (one.mean, one.std) == ([0.5], [1 / 3])
    assert for_channels(three.mean, three.std, 5).mean == [0.25, 0.5, 0.75, 0.25, 0.5]
    assert for_channels(three.mean, three.std, 2).std == [0.25, 0.25]
    assert for_channels([0.25], [0.5], 1) == GREY
    assert for_channels([0.25], [0.5], 3).mean == [0.25] * 3
