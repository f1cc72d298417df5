import pytest
from made_up import TRAIN

from foldwise.core.errors import InputError
from foldwise.files.architecture import BuildSection
from foldwise.files.dataset import DatasetInfo
from foldwise.plan.ideas import (
    FROZEN,
    LENET5,
    NARROW_VGG,
    RESNET18,
    RESNET18_SMALL,
    RESNET20,
    SLIM_VGG,
    VGG_RESNET,
    Idea,
    thawed,
)
from foldwise.plan.trial import make

NONE = BuildSection(architectures={})


def trial(idea, height=32, width=None, channels=3, build=NONE):
    info = DatasetInfo(
        name="made",
        classes=[str(label) for label in range(10)],
        height=height,
        width=width or height,
        channels=channels,
        n_train=80,
        n_test=20,
        official_test=False,
        n_duplicates=0,
        n_left_out=0,
        n_groups=100,
        seed=7,
    )
    return make(idea, build, info)


@pytest.mark.parametrize(
    ("idea", "side", "halvings"),
    [
        (LENET5, 28, 2),
        (SLIM_VGG, 28, 2),
        (VGG_RESNET, 28, 2),
        (RESNET20, 32, 2),
        (NARROW_VGG, 32, 2),  # as deep as the image size allows: two, three, four poolings
        (NARROW_VGG, 64, 3),
        (NARROW_VGG, 224, 4),
        (RESNET18_SMALL, 32, 3),
        (RESNET18, 64, 5),
    ],
)
def test_downsamplings_are_those_that_one_counts(idea, side, halvings):
    assert trial(idea, side).halvings == halvings


def test_images_that_are_no_squares_count_by_their_shorter_side():
    assert trial(NARROW_VGG, 28, 90).halvings == trial(NARROW_VGG, 28).halvings == 2


def test_only_what_training_runs_in_each_step_weighs():
    """Of frozen layers whose features are kept, nothing; of ResNet18, fc is 512 × 10."""
    whole = trial(RESNET18, 224).macs
    assert whole == pytest.approx(1.81e9, rel=0.01)
    assert trial(FROZEN, 224).macs == 5120
    part = trial(thawed(10, TRAIN.learning_rate, gradually=False), 224).macs
    assert 5120 < part < whole / 3
    assert trial(thawed(10, 0.01, gradually=True), 224).macs > part


def test_what_params_yaml_sets_for_a_name_counts():
    build = BuildSection.model_validate({"architectures": {"lenet5": {"learning_rate": 0.5}}})
    assert trial(LENET5, build=build).network.training.learning_rate == 0.5


def test_what_does_not_take_the_images_is_refused():
    with pytest.raises(InputError, match=r"alexnet needs at least 63×63 px; the images are 32×32"):
        trial(Idea("alexnet", ""))
