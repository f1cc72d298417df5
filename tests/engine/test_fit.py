import math
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from foldwise.engine.hardware import choose_hardware
from foldwise.engine.trainer import TrainingResult
from foldwise.engine.training import open_fold, open_trainer
from foldwise.files.dataset import read_dataset
from foldwise.files.features import Features
from foldwise.files.fold_record import Epoch
from foldwise.files.network import Thaw, read_network
from foldwise.files.params import read_params
from foldwise.files.split import read_recipe, read_split
from foldwise.nets.network import train_mode


class Silent:
    """Hears of progress and says nothing."""

    def trained(self, n_images, loss):
        pass

    def evaluated(self, point):
        pass


@pytest.fixture
def trainer(case, flags):
    """Return a function that makes a network and who trains it."""

    def trainer(model="slim_vgg", change=lambda fold: fold, update=None, **section):
        flags(model, **section)  # writes the files
        params = read_params(case / "params.yaml", "train", "hardware")
        hardware = choose_hardware(params.hardware)
        network = read_network(case / "network").model_copy(update=update or {})
        data = (
            read_dataset(case / "prepared"),
            read_split(case / "split"),
            read_recipe(case / "augmented"),
        )
        fold = change(open_fold(data, (0, 0), network, Features(), hardware.device))
        engine, _ = open_trainer(network, {}, fold, params.train, hardware)
        return engine.module, engine

    return trainer


class Watching(Silent):
    """Takes a copy of the state after each epoch."""

    def __init__(self, module):
        self.module, self.states = module, [self.copy(module)]

    def copy(self, module):
        return {name: value.clone() for name, value in module.state_dict().items()}

    def evaluated(self, point):
        self.states.append(self.copy(self.module))

    def moved(self, epoch):
        """Return the children of which something changed in an epoch, counted from 1."""
        before, after = self.states[epoch - 1 : epoch + 1]
        names = [name for name in after if not torch.equal(before[name], after[name])]
        return {name.split(".")[0] for name in names}


FIRST, LATER = {"0", "1", "3", "4"}, {"8", "9", "11", "12", "14", "15", "20", "21"}
HEAD = {"23"}  # of Slim VGG; the numbers left out have neither weights nor statistics


def epochs_moved(trainer, epochs, **update):
    """Return which layers of Slim VGG moved in each epoch."""
    module, one = trainer("slim_vgg", epochs=epochs, update={"heads": ["23"]} | update)
    watching = Watching(module)
    one.fit(watching)
    return [watching.moved(epoch) for epoch in range(1, epochs + 1)]


def point(epoch, accuracy):
    return Epoch(
        epoch=epoch,
        train_loss=1.0,
        train_accuracy=0.5,
        validation_loss=1.0,
        validation_accuracy=accuracy,
    )


def test_from_scratch_and_finetuned_everything_moves(trainer):
    assert epochs_moved(trainer, 1) == [FIRST | LATER | HEAD]


def test_frozen_parts_stay_to_the_bit_statistics_included(trainer):
    assert epochs_moved(trainer, 2, frozen=[*FIRST]) == [LATER | HEAD] * 2


def test_with_all_but_the_head_frozen_the_head_alone_moves(trainer):
    assert epochs_moved(trainer, 2, frozen=[*FIRST, *LATER]) == [HEAD] * 2


def test_what_thaws_stays_to_the_bit_before_and_moves_from_its_epoch_on(trainer):
    thaw = [
        Thaw(at_epoch=2, layers=[*LATER], learning_rate=None),
        Thaw(at_epoch=4, layers=[*FIRST], learning_rate=1e-4),
    ]
    moved = epochs_moved(trainer, 4, frozen=[*FIRST, *LATER], thaw=thaw)
    assert moved == [HEAD, LATER | HEAD, LATER | HEAD, FIRST | LATER | HEAD]


def first_norm(module):
    return next(part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d))


def first_steps(trainer, n_epochs, **update):
    """Train on the first batch of each epoch.

    Returns:
        The first norm of Slim VGG, and mean and variance of its input in each step.
    """
    module, one = trainer("slim_vgg", epochs=2, update=update, precision="float32")
    norm, inputs = first_norm(module), []
    norm.register_forward_pre_hook(lambda _, args: inputs.append(args[0].detach()))
    for epoch in range(1, n_epochs + 1):
        one.begin(epoch)
        one.step(*one.batch(one.batches(epoch)[0], epoch), epoch - 1, 2)
    return norm, [(values.mean((0, 2, 3)), values.var((0, 2, 3))) for values in inputs]


def test_the_first_batch_replaces_the_statistics_of_a_new_norm(trainer):
    """Else the variance of 1 counts for a hundred steps, more than small ones of deep layers."""
    norm, (first,) = first_steps(trainer, 1)
    torch.testing.assert_close((norm.running_mean, norm.running_var), first)
    assert norm.momentum == 0.1


def test_the_second_batch_moves_them_by_the_momentum(trainer):
    norm, steps = first_steps(trainer, 2)
    means, variances = zip(*steps, strict=True)
    expected = torch.lerp(*means, 0.1), torch.lerp(*variances, 0.1)
    torch.testing.assert_close((norm.running_mean, norm.running_var), expected)
    assert not torch.allclose(norm.running_mean, means[1], atol=1e-4)


def test_a_new_norm_that_thaws_later_takes_its_first_batch_then(trainer):
    part = ["0", "1"]
    thaw = [Thaw(at_epoch=2, layers=part, learning_rate=None)]
    norm, _ = first_steps(trainer, 1, frozen=part, thaw=thaw)
    assert norm.running_var.eq(1).all()
    norm, (_, second) = first_steps(trainer, 2, frozen=part, thaw=thaw)
    torch.testing.assert_close((norm.running_mean, norm.running_var), second)


def test_statistics_of_pretrained_weights_are_kept(trainer):
    module, one = trainer("slim_vgg", epochs=1)
    norm = first_norm(module)
    norm.running_mean.fill_(5.0)
    one = replace(one)  # as it begins with these weights
    one.begin(1)
    one.step(*one.batch(one.batches(1)[0], 1), 0, 1)
    assert norm.running_mean.min() > 4


def test_dropout_of_a_frozen_part_is_off_and_of_others_on(trainer):
    module, one = trainer("slim_vgg", epochs=1, update={"frozen": ["0", "1", "7"]})
    one.fit(Silent())
    train_mode(module, one.network, 1)
    states = {name: part.training for name, part in module.named_children()}
    assert not any(states[name] for name in ("0", "1", "7"))
    assert states["2"]


def test_best_is_the_first_epoch_of_the_highest_accuracy_and_last_the_last():
    outcome = TrainingResult()
    for epoch, accuracy in enumerate([0.2, 0.7, 0.7, 0.5], start=1):
        outcome.add(point(epoch, accuracy), np.full((1, 1), epoch, dtype=np.float32))
    assert outcome.best_epoch == 2
    assert (outcome.best.item(), outcome.last.item()) == (2, 4)


def test_a_validation_loss_that_is_not_finite_diverges(trainer):
    """Nothing but the images of the validation part is broken: training itself goes on."""

    def change(fold):
        class Broken:
            image_bytes = fold.inputs.image_bytes

            def training(self, *given):
                return fold.inputs.training(*given)

            def plain(self, index):
                images = fold.inputs.plain(index)
                return images * (math.nan if index[0] in fold.validation else 1)

        return replace(fold, inputs=Broken())

    _, one = trainer(change=change)
    outcome = one.fit(Silent())
    assert outcome.diverged == "the validation loss after epoch 1 is nan"
    assert outcome.curves == []


def test_train_and_validation_are_measured_on_equally_many_images(trainer):
    _, one = trainer()
    fold = one.fold
    assert len(fold.train_eval_subset) == len(fold.validation) == 32
    assert set(fold.train_eval_subset) <= set(fold.training)
    assert not set(fold.training) & set(fold.validation)


def test_the_batch_size_of_evaluation_changes_no_prediction(trainer):
    """Measured in eval mode: BatchNorm does not look at the batch."""
    _, small = trainer(batch_size=3, epochs=1)
    module, large = trainer(batch_size=64, epochs=1)
    small.module = module
    index = np.arange(20)
    np.testing.assert_allclose(small.logits(index), large.logits(index), atol=0.02)


class Drawing(nn.Sequential):
    """Draws from the generators of Python and NumPy, in the making and in training."""

    def __init__(self):
        super().__init__(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        self[3].bias.data.fill_(np.random.rand())

    def forward(self, images):
        return super().forward(images * random.random() if self.training else images)


def test_the_same_training_gives_the_same_whatever_a_network_draws_from(trainer, monkeypatch):
    monkeypatch.setattr("foldwise.nets.network.build", lambda _: Drawing())
    first, second = (trainer(epochs=1)[1].fit().last for _ in range(2))
    assert np.array_equal(first, second)
