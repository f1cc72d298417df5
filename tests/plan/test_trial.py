import pytest
from dataset_info import info_of
from synthetic import TRAIN

from foldwise.core.errors import InputError
from foldwise.files.architecture import BuildSection
from foldwise.plan.candidates import CANDIDATES, Candidate, thawed
from foldwise.plan.proposals import try_candidate

NONE = BuildSection(architectures={})


def trial(idea, height=32, width=None, channels=3, build=NONE):
    info = info_of("0123456789", (height, width or height, channels), 80, 20)
    return try_candidate(idea, build, info)


@pytest.mark.parametrize(
    ("idea", "side", "n_downsamplings"),
    [
        (CANDIDATES["lenet5"], 28, 2),
        # as deep as the image size allows: two, three, four poolings
        (CANDIDATES["narrow_vgg"], 32, 2),
        (CANDIDATES["narrow_vgg"], 224, 4),
        *(
            pytest.param(CANDIDATES[name], side, n_downsamplings, marks=pytest.mark.slow)
            for name, side, n_downsamplings in (
                *(("slim_vgg", 28, 2), ("vgg_resnet", 28, 2), ("resnet20", 32, 2)),
                *(("narrow_vgg", 64, 3), ("resnet18_small", 32, 3), ("resnet18", 64, 5)),
            )
        ),
    ],
)
def test_downsamplings_are_those_that_one_counts(idea, side, n_downsamplings):
    assert trial(idea, side).n_downsamplings == n_downsamplings


def test_images_that_are_no_squares_count_by_their_shorter_side():
    assert (
        trial(CANDIDATES["narrow_vgg"], 28, 90).n_downsamplings
        == trial(CANDIDATES["narrow_vgg"], 28).n_downsamplings
        == 2
    )


@pytest.mark.slow
def test_only_what_training_runs_in_each_step_weighs():
    """Of frozen layers whose features are kept, nothing; of ResNet18, fc is 512 × 10."""
    whole = trial(CANDIDATES["resnet18"], 224).macs
    assert whole == pytest.approx(1.81e9, rel=0.01)
    assert trial(CANDIDATES["resnet18_frozen"], 224).macs == 5120
    part = trial(thawed(10, TRAIN.common_rate, gradually=False), 224).macs
    assert 5120 < part < whole / 3
    assert trial(thawed(10, 0.01, gradually=True), 224).macs > part


def test_what_params_yaml_sets_for_a_name_counts():
    build = BuildSection.model_validate({"architectures": {"lenet5": {"learning_rate": 0.5}}})
    assert trial(CANDIDATES["lenet5"], build=build).network.training.learning_rate == 0.5


def test_what_does_not_take_the_images_is_refused():
    with pytest.raises(InputError, match=r"alexnet needs at least 63×63 px; the images are 32×32"):
        trial(Candidate("alexnet", ""))
