from functools import partial

import pytest
import timm
import torch
from torch import nn
from torchvision import models

from foldwise.engine.optimiser import decayed_parameters, open_optimiser
from foldwise.files.params import TrainSection


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.ReLU(), nn.Linear(5, 3))


def optimiser_of(module, base_lr=1.0, weight_decay=0.1, **settings):
    """Return an optimiser of all parameters; the base rate is one number, or one for each."""
    section = TrainSection(
        epochs=1, batch_size=8, learning_rate=1.0, weight_decay=0.0, warmup=0.1, **settings
    )
    names = dict(module.named_parameters())
    rates = base_lr if isinstance(base_lr, dict) else dict.fromkeys(names, base_lr)
    return open_optimiser(module, rates, weight_decay, section)


METHODS = {
    "adamw": ({"optimiser": "adamw"}, torch.optim.AdamW),
    "sgd": (
        {"optimiser": "sgd", "momentum": 0.9},
        partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    ),
    "sgd without momentum": ({"optimiser": "sgd", "momentum": 0.0}, torch.optim.SGD),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clip_norm", [None, 0.05])
def test_equals_torch_with_decay_on_matrices_only(method, clip_norm):
    ours, theirs = network(), network()
    groups = [
        {"params": [p for p in theirs.parameters() if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in theirs.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    settings, theirs_of = METHODS[method]
    reference = theirs_of(groups, lr=0.01)
    optimiser = optimiser_of(ours, clip_norm=clip_norm, **settings)
    for step in range(20):
        batch = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
        for module in (ours, theirs):
            module(batch).square().mean().backward()
        optimiser.set_lr_factor(0.01)
        optimiser.step()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(theirs.parameters(), clip_norm)
        reference.step()
        reference.zero_grad()
    for parameter, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(parameter, expected)
        assert parameter.grad is None


def test_frozen_parameters_stay_to_the_bit():
    ours = network()
    ours[0].requires_grad_(requires_grad=False)
    before = ours[0].weight.clone()
    optimiser = optimiser_of(ours)
    ours(torch.ones(2, 4)).sum().backward()
    optimiser.set_lr_factor(0.1)
    optimiser.step()
    assert torch.equal(ours[0].weight, before)


def test_each_parameter_moves_at_its_own_rate():
    """Of the first step of Adam each number moves by the rate, whatever the gradient."""
    ours = network()
    peaks = {name: 0.01 * (i + 1) for i, (name, _) in enumerate(ours.named_parameters())}
    before = [one.clone() for one in ours.parameters()]
    optimiser = optimiser_of(ours, peaks, 0.0)
    ours(torch.randn(8, 4)).square().sum().backward()
    optimiser.set_lr_factor(0.5)
    optimiser.step()
    for one, old, peak in zip(ours.parameters(), before, peaks.values(), strict=True):
        assert (one - old).abs().max().item() == pytest.approx(peak / 2, rel=1e-3)


def test_tokens_positions_and_scales_do_not_decay():
    """What timm excludes by name; torchvision's networks have the same under other names."""
    expected = {
        "vit_b_32": {"class_token", "pos_embedding"},
        "swin_t": {"relative_position_bias_table"},
        "swin_v2_t": {"logit_scale"},
        "convnext_tiny": {"layer_scale"},
        "timm": {"cls_token", "dist_token", "pos_embed"},
    }
    with torch.device("meta"):
        reference = timm.create_model("swinv2_tiny_window8_256")
        ours = {
            "vit_b_32": models.vit_b_32(image_size=64),
            "swin_t": models.swin_t(),
            "swin_v2_t": models.swin_v2_t(),
            "convnext_tiny": models.convnext_tiny(),
            "timm": timm.create_model("deit_tiny_distilled_patch16_224"),
        }
    assert not decayed_parameters(reference) & reference.no_weight_decay()
    assert not decayed_parameters(ours["timm"]) & ours["timm"].no_weight_decay()
    for name, module in ours.items():
        others = dict(module.named_parameters()).keys() - decayed_parameters(module)
        matrices = {n for n in others if module.get_parameter(n).ndim > 1}
        kinds = {n.rpartition(".")[2] for n in matrices}
        assert kinds == expected[name]
