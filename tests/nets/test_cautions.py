import pytest
import torch

from foldwise.core.errors import InputError, counted
from foldwise.files.architecture import ArchitectureSection
from foldwise.files.network import ChannelStatistics
from foldwise.nets.weights.choice import Checkpoint
from foldwise.nets.weights.matching import Target, adapt_statistics, find_cautions, match_tensors
from foldwise.nets.weights.pretrained import IMAGENET, choose_normalisation
from foldwise.nets.weights.tensors import TrainedOn

PHOTOS = TrainedOn(
    data="ImageNet", channels=3, height=224, width=224, mean=IMAGENET.mean, std=IMAGENET.std
)
GREY = ChannelStatistics(mean=[0.25], std=[0.5])


@pytest.fixture
def choose(network_of):
    """Choose the normalisation of a network for images of some channels."""

    def choose(normalisation, known, channels):
        section = ArchitectureSection.model_validate({"normalisation": normalisation})
        network = network_of("lenet5", channels, 28).model_copy(update={"name": "net"})
        return choose_normalisation(section, known, network)

    return choose


def match(trained_on=PHOTOS, **changes):
    """Match a part of 21 tensors; two kernels take as many channels as the image has."""
    facts = {"layer": "", "title": "net", "architecture": "resnet18", "sha256": "0" * 64}
    facts |= {"source": "w.pt", "state": {}, "channels": 3} | changes
    kernels = dict.fromkeys(["conv.weight", "inner.weight"], (2, facts["channels"], 3, 3))
    shapes = kernels | {f"layer{index}.weight": (2, 2) for index in range(18)}
    shapes["positions"] = (1, 1 + 7 * 7, 4)
    target = Target(
        layer=facts["layer"],
        title=facts["title"],
        architecture=facts["architecture"],
        prefix="",
        tensors={name: torch.empty(shape, device="meta") for name, shape in shapes.items()},
        input_kernels=frozenset(kernels),
    )
    state = {name: torch.ones(shape) for name, shape in shapes.items()} | facts["state"]
    checkpoint = Checkpoint(facts["source"], facts["sha256"], state, trained_on)
    return match_tensors(target, checkpoint)


@pytest.fixture
def cautions(network_of):
    def cautions(matches, channels=3, side=224, *, normalisation=IMAGENET):
        network = network_of("lenet5", channels, side)
        network = network.model_copy(update={"name": "net", "normalisation": normalisation})
        found = find_cautions(network, matches)
        assert all(one.isprintable() and not one.endswith(".") for one in found)
        return found

    return cautions


def test_no_caution_where_weights_meet_like_data(cautions):
    assert cautions([match()]) == []


@pytest.mark.parametrize(
    ("trained", "channels", "counts"),
    [
        (PHOTOS, 1, "3 channels, not 1"),
        (None, 4, "3 channels, not 4"),
        (
            PHOTOS.model_copy(update={"channels": 1, "mean": [0.1], "std": [0.2]}),
            3,
            "1 channel, not 3",
        ),
    ],
)
def test_caution_of_other_channels(cautions, trained, channels, counts):
    state = {"conv.weight": torch.ones(2, trained.channels if trained else 3, 3, 3)}
    matched = match(trained, channels=channels, state=state)
    own = trained or PHOTOS
    normalisation = adapt_statistics(own, channels)
    (caution,) = cautions([matched], channels, normalisation=normalisation)
    assert caution.startswith("w.pt was trained on images")
    assert caution.endswith(counts)


@pytest.mark.parametrize(("side", "warned"), [(111, True), (112, False), (500, False)])
def test_caution_of_images_under_half_the_side(cautions, side, warned):
    found = cautions([match()], 3, side)
    assert len(found) == warned
    assert all("224×224 px" in caution and f"{side}×{side} px" in caution for caution in found)


def test_caution_of_other_patches(cautions):
    (caution,) = cautions([match(state={"positions": torch.ones(1, 1 + 14 * 14, 4)})])
    assert caution == "the position embeddings of w.pt are interpolated from 14×14 to 7×7 patches"


def test_shorter_sides_are_compared(cautions):
    wide = PHOTOS.model_copy(update={"height": 32, "width": 600})
    assert cautions([match(wide)], 3, 28) == []


@pytest.mark.parametrize(
    ("normalisation", "used"),
    [
        (None, "the statistics of each fold"),
        (
            ChannelStatistics(mean=[0.5] * 3, std=[0.25] * 3),
            "mean 0.5, 0.5, 0.5 and std 0.25, 0.25",
        ),
    ],
)
def test_caution_of_another_normalisation(cautions, normalisation, used):
    (sentence,) = cautions([match()], normalisation=normalisation)
    assert sentence.startswith("w.pt ")
    assert "mean 0.485, 0.456, 0.406 and std 0.229, 0.224, 0.225" in sentence
    assert used in sentence


def test_caution_of_a_normalisation_that_nothing_names(cautions):
    (sentence,) = cautions([match(None)], normalisation=None)
    assert sentence.startswith("w.pt ")
    assert sentence.endswith("set build.architectures.net.normalisation to imagenet")
    assert cautions([match(None)], normalisation=IMAGENET) == []


def test_caution_of_tensors_that_do_not_match(cautions):
    matched = match(state={"layer3.weight": None, "layer5.weight": torch.ones(3)})
    (caution,) = cautions([matched])
    assert caution.startswith("random initialisation of 2 tensors of net, because in w.pt ")
    assert caution.endswith("layer3.weight is missing, layer5.weight has shape (3,), not (2, 2)")


def test_caution_of_two_networks_in_one(cautions):
    mixed = [match(layer="low"), match(layer="high", architecture="vgg11", source="v.pt")]
    (caution,) = cautions(mixed)
    assert "2 networks are mixed (low from w.pt, high from v.pt)" in caution
    mixed[1] = match(layer="high", sha256="1" * 64, source="again.pt")
    assert "low from w.pt, high from again.pt" in cautions(mixed)[0], "two trainings of one network"


def test_two_layers_of_one_network_are_not_mixed(cautions):
    assert cautions([match(layer="low"), match(layer="high")]) == []


def test_what_holds_for_two_layers_is_said_once(cautions):
    assert len(cautions([match(layer="low"), match(layer="high")], 3, 28)) == 1


# Normalisation


def test_normalisation_of_the_weights_is_taken_if_none_is_set(choose):
    assert choose(None, [PHOTOS], 3) == IMAGENET
    assert choose(None, [], 3) is None


def test_first_weights_decide(choose):
    other = PHOTOS.model_copy(update={"mean": [0.5] * 3})
    assert choose(None, [other, PHOTOS], 3).mean == [0.5] * 3


def test_what_is_set_is_taken_whatever_the_weights_are(choose):
    for known in ([], [PHOTOS]):
        assert choose("folds", known, 3) is None
        assert choose("imagenet", known, 3) == IMAGENET
        assert choose({"mean": [0.25], "std": [0.5]}, known, 1) == GREY


@pytest.mark.parametrize("part", ["mean", "std"])
@pytest.mark.parametrize("n", [0, 1, 4])
def test_statistics_for_other_channels_are_refused(choose, part, n):
    given = {"mean": [0.5] * 3, "std": [0.5] * 3} | {part: [0.5] * n}
    with pytest.raises(InputError) as caught:
        choose(given, [], 3)
    message = str(caught.value)
    key = f"build.architectures.net.normalisation.{part}"
    assert message.startswith(f"{key} has {counted(n, 'number')}; ")
    assert message.endswith(", 3")


def test_statistics_are_adapted_to_the_channels():
    three = ChannelStatistics(mean=[0.25, 0.5, 0.75], std=[0.25, 0.25, 0.5])
    assert adapt_statistics(three, 3) == three
    one = adapt_statistics(three, 1)
    assert (one.mean, one.std) == ([0.5], [1 / 3])
    assert adapt_statistics(three, 5).mean == [0.25, 0.5, 0.75, 0.25, 0.5]
    assert adapt_statistics(three, 2).std == [0.25, 0.25]
    assert adapt_statistics(GREY, 1) == GREY
    assert adapt_statistics(GREY, 3).mean == [0.25] * 3
