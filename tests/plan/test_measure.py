import math

import pytest
import torch
import yaml
from quick import SECTIONS

from foldwise.core.errors import InputError
from foldwise.engine.hardware import set_up
from foldwise.engine.trainer import Trainer
from foldwise.files.params import read_params
from foldwise.plan.measure import measure_throughput

THAW = [{"at_epoch": 2, "layers": "[14:20]"}, {"at_epoch": 9, "layers": "[7:13]"}]


@pytest.fixture
def pace_of(info, tmp_path):
    def pace_of(network, **changed):
        sections = {key: {**one, **changed.get(key, {})} for key, one in SECTIONS.items()}
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(sections))
        params = read_params(path, *sections)
        return measure_throughput(network, info, params, set_up(params.hardware))

    return pace_of


@pytest.fixture
def steps(monkeypatch):
    """Watch the steps: the shape of what went in, and the names of what moved."""
    seen = []
    step = Trainer.step

    def watched(self, inputs, *rest):
        before = {name: one.clone() for name, one in self.module.named_parameters()}
        loss = step(self, inputs, *rest)
        after = dict(self.module.named_parameters())
        moved = {name for name, one in before.items() if not torch.equal(one, after[name])}
        seen.append((tuple(inputs.shape), moved))
        return loss

    monkeypatch.setattr(Trainer, "step", watched)
    return seen


def test_steps_are_those_of_training(pace_of, network_of, steps):
    """Whole batches, but for the two with which it begins, and everything moves."""
    pace = pace_of(network_of("lenet5"), forecast={"seconds": 1.0})
    assert {shape for shape, _ in steps[2:]} == {(8, 1, 16, 16)}
    assert all("1.weight" in moved and "12.bias" in moved for _, moved in steps)
    assert list(pace.training) == [1]
    assert (pace.extraction, pace.passes) == (math.inf, 0)


def test_what_never_trains_runs_once_a_view_and_once_plain(pace_of, network_of, steps):
    pace = pace_of(network_of("narrow_vgg", policy="frozen"))
    assert 0 < pace.extraction < math.inf
    assert pace.passes == 1 + SECTIONS["extract"]["views"]
    assert {shape[1:] for shape, _ in steps} == {(128,)}  # features, no images
    assert all(moved == {"head.weight", "head.bias"} for _, moved in steps)


NO_AUGMENTATION = dict.fromkeys(SECTIONS["augment"], 0.0)


def test_without_augmentation_there_is_only_the_plain_pass(pace_of, network_of):
    pace = pace_of(network_of("resnet18", policy="frozen"), augment=NO_AUGMENTATION)
    assert pace.passes == 1
    mixed = NO_AUGMENTATION | {"mixup": 0.2, "cutmix": 1.0}  # of batches, not of views
    assert pace_of(network_of("resnet18", policy="frozen"), augment=mixed).passes == 1


def test_features_that_fit_because_there_are_no_views_are_kept(pace_of, network_of):
    gigabytes = 2 * 60 * 512 * 4 / 1e9  # passes, images, features, bytes
    frozen, extract = network_of("resnet18", policy="frozen"), {"most_gigabytes": gigabytes}
    assert pace_of(frozen, extract=extract, augment=NO_AUGMENTATION).passes == 1
    assert pace_of(frozen, extract=extract).passes == 0


def test_the_augmentation_of_the_training_is_timed(pace_of, network_of, monkeypatch):
    seen, draw = [], Trainer.batch

    def watched(self, *args):
        seen.append(self.fold.recipe)
        return draw(self, *args)

    monkeypatch.setattr(Trainer, "batch", watched)
    pace_of(network_of("lenet5"), augment={"trivial_augment": 1.0, "mixup": 0.2})
    assert {(recipe.trivial_augment, recipe.shift) for recipe in seen} == {(1.0, 0.1)}


def test_features_too_large_to_keep_are_made_in_every_step(pace_of, network_of, steps):
    pace = pace_of(network_of("narrow_vgg", policy="frozen"), extract={"most_gigabytes": 0.0})
    assert pace.passes == 0
    assert {shape[1:] for shape, _ in steps} == {(1, 16, 16)}


def test_each_epoch_from_which_more_trains_is_timed(pace_of, network_of, steps):
    pace = pace_of(network_of("narrow_vgg", policy="frozen", thaw=THAW))
    assert list(pace.training) == [1, 2]  # of three epochs the ninth is none
    layers = [{name.split(".")[0] for name in moved} for _, moved in steps]
    assert layers[0] == {"22"}
    assert layers[-1] == {"22", "14", "15", "17", "18"}


def test_a_step_too_large_for_the_memory_is_said_before_it_fails(pace_of, network_of, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Trainer, "step", full)
    with pytest.raises(InputError, match=r"net: a step of 8 images is too large for the memory"):
        pace_of(network_of("lenet5"))
