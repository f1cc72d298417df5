"""What can be switched on in a training: it changes the result, the same way each time."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_fit import trainer  # noqa: F401  # a fixture
from torch import nn

from foldwise.engine.averaging import WeightAverage
from foldwise.engine.optimiser import open_optimiser

SECTIONS = {
    "label smoothing": {"label_smoothing": 0.1},
    "SGD": {"optimiser": "sgd", "learning_rate": 0.05},
    "clipping": {"clip_norm": 0.1},
    "EMA": {"ema": 0.9},
}
PARTS = {
    "MixUp with weights": ({"mixup": 0.4}, {"class_weights": "balanced"}),
    "CutMix with smoothing": ({"cutmix": 1.0}, {"label_smoothing": 0.1}),
    "colours, crops and flips": (
        {"vertical_flip": 0.5, "resized_crop": 0.5, "trivial_augment": 1.0},
        {},
    ),
}


@pytest.mark.parametrize("name", ["plain", *SECTIONS, *PARTS])
def test_a_recipe_changes_the_result_and_gives_it_again(trainer, name):  # noqa: F811
    parts, section = PARTS.get(name, ({}, SECTIONS.get(name, {})))

    def logits(parts, **section):
        def change(fold):
            recipe = fold.recipe.model_copy(update=parts)
            fold.inputs._recipe = recipe  # of the images; that of the fold mixes batches
            return replace(fold, recipe=recipe)

        module, engine = trainer("lenet5", change, epochs=2, **section)
        rates = dict.fromkeys(dict(module.named_parameters()), engine.section.learning_rate)
        optimiser = open_optimiser(module, rates, 0.001, engine.section)
        return replace(engine, optimiser=optimiser).fit().last

    first = logits(parts, **section)
    assert np.array_equal(first, logits(parts, **section))
    assert np.isfinite(first).all()
    assert (name == "plain") == np.array_equal(first, logits({}))


def test_the_average_follows_its_formula_and_keeps_what_is_frozen_to_the_bit():
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    frozen = module[0].bias.clone()
    average = WeightAverage(module, 0.5)
    expected, generator = module[0].weight.detach().clone(), torch.Generator().manual_seed(0)
    for step in range(12):
        with torch.no_grad():
            module[0].weight += torch.randn(2, 3, generator=generator)
            module[1].running_mean += 1
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * module[0].weight
        average.update()
    last = module[0].weight.detach().clone()
    average.apply()
    torch.testing.assert_close(module[0].weight.detach(), expected.detach())
    assert 10 < module[1].running_mean[0] < 12
    assert torch.equal(module[0].bias, frozen)
    average.restore()
    assert torch.equal(module[0].weight, last)
    assert torch.equal(module[1].running_mean, torch.full((2,), 12.0))


def test_the_module_keeps_the_average_that_was_evaluated(trainer):  # noqa: F811
    module, engine = trainer("slim_vgg", epochs=2, ema=0.9)
    result = engine.fit()
    assert np.array_equal(engine.logits(engine.fold.validation), result.last)
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    engine.begin(2)  # the weights that train come back
    moved = {
        name for name, value in module.state_dict().items() if not torch.equal(value, kept[name])
    }
    assert {"0.weight", "1.running_mean"} <= moved
    assert np.array_equal(engine.logits(engine.fold.validation), result.last)


def test_tuning_begins_at_the_usual_rate_of_the_optimiser(trainer):  # noqa: F811
    _, engine = trainer(learning_rate="auto")
    rates = {
        optimiser: engine.section.model_copy(update={"optimiser": optimiser}).common_rate
        for optimiser in ("adamw", "sgd")
    }
    assert rates == {"adamw": 0.002, "sgd": 0.05}
