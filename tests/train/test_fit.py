import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from stages.build.network import construct
from stages.contracts.dataset import read_dataset
from stages.contracts.fold_record import Epoch
from stages.contracts.network import read_network
from stages.contracts.params_file import read_params
from stages.contracts.recipe import read_recipe
from stages.contracts.split import read_split
from stages.train.fit import Outcome, Trainer
from stages.train.fold import open_fold
from stages.train.hardware import choose_hardware
from stages.train.params import TrainParams
from stages.train.streams import seed_network


class Silent:
    """Hears of progress and says nothing."""

    def trained(self, n_images, loss):
        pass

    def evaluated(self, point):
        pass


@pytest.fixture
def trainer(case, flags):
    """Return a function that makes a network and who trains it."""

    def trainer(model="slim_vgg", frozen=(), change=lambda fold: fold, **section):
        flags(model, **section)  # writes the files
        budget = read_params(case / "params.yaml", TrainParams).train
        hardware = choose_hardware(budget)
        spec = read_network(case / "network").model_copy(update={"frozen": list(frozen)})
        dataset, split = read_dataset(case / "prepared"), read_split(case / "split")
        recipe = read_recipe(case / "augmented")
        fold = change(open_fold(dataset, split, recipe, (0, 0), hardware.device))
        seed_network(0, model, 0, 0)
        network = construct(spec, {})
        return network, Trainer(network, spec.frozen, fold, budget, hardware)

    return trainer


def point(epoch, accuracy):
    return Epoch(
        epoch=epoch,
        train_loss=1.0,
        train_accuracy=0.5,
        validation_loss=1.0,
        validation_accuracy=accuracy,
    )


def test_frozen_children_stay_to_the_bit_statistics_included(trainer):
    network, one = trainer("vgg_resnet", frozen=("0", "1"))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    one.fit(Silent())
    changed = {
        name.split(".")[0]
        for name, value in network.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"2", "5"}  # the residual stage and the linear head


def test_best_is_the_first_epoch_of_the_highest_accuracy_and_last_the_last():
    outcome = Outcome()
    for epoch, accuracy in enumerate([0.2, 0.7, 0.7, 0.5], start=1):
        outcome.add(point(epoch, accuracy), np.full((1, 1), epoch, dtype=np.float32))
    assert outcome.best_epoch == 2
    assert (outcome.best.item(), outcome.last.item()) == (2, 4)


def test_a_validation_loss_that_is_not_finite_diverges(trainer):
    """Nothing but the images of the validation part is broken: training itself goes on."""

    def change(fold):
        class Broken:
            def augmented(self, *given):
                return fold.images.augmented(*given)

            def plain(self, index):
                images = fold.images.plain(index)
                return images * (math.nan if index[0] in fold.validation else 1)

        return replace(fold, images=Broken())

    _, one = trainer(change=change)
    outcome = one.fit(Silent())
    assert outcome.diverged == "the validation loss after epoch 1 is nan"
    assert outcome.curves == []


def test_train_and_validation_are_measured_on_equally_many_images(trainer, case):
    fold = open_fold(
        read_dataset(case / "prepared"),
        read_split(case / "split"),
        read_recipe(case / "augmented"),
        (0, 1),
        torch.device("cpu"),
    )
    assert len(fold.probe) == len(fold.validation) == 32
    assert set(fold.probe) <= set(fold.training)
    assert not set(fold.training) & set(fold.validation)


def test_the_batch_size_of_evaluation_changes_no_prediction(trainer):
    """Measured in eval mode: BatchNorm does not look at the batch."""
    _, small = trainer(batch_size=3, epochs=1)
    network, large = trainer(batch_size=64, epochs=1)
    small._network = network
    index = np.arange(20)
    np.testing.assert_allclose(small._logits(index), large._logits(index), atol=0.02)
