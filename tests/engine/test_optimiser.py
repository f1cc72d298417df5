from functools import partial

import pytest
import torch
from torch import nn

from foldwise.engine.optimiser import SGD, AdamW


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.ReLU(), nn.Linear(5, 3))


METHODS = {
    "adamw": (lambda parameters, clip: AdamW(parameters, 0.1, clip), torch.optim.AdamW),
    "sgd": (
        lambda parameters, clip: SGD(parameters, 0.1, 0.9, clip),
        partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    ),
    "sgd without momentum": (
        lambda parameters, clip: SGD(parameters, 0.1, 0.0, clip),
        torch.optim.SGD,
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clip_norm", [None, 0.05])
def test_equals_torch_with_decay_on_matrices_only(method, clip_norm):
    ours, theirs = network(), network()
    groups = [
        {"params": [p for p in theirs.parameters() if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in theirs.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    ours_of, theirs_of = METHODS[method]
    reference = theirs_of(groups, lr=0.01)
    optimiser = ours_of([(parameter, 1.0) for parameter in ours.parameters()], clip_norm)
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
    optimiser = AdamW([(one, 1.0) for one in ours.parameters()], 0.1)
    ours(torch.ones(2, 4)).sum().backward()
    optimiser.set_lr_factor(0.1)
    optimiser.step()
    assert torch.equal(ours[0].weight, before)


def test_each_parameter_moves_at_its_own_rate():
    """Of the first step of Adam each number moves by the rate, whatever the gradient."""
    ours = network()
    peaks = [0.01 * (index + 1) for index, _ in enumerate(ours.parameters())]
    before = [one.clone() for one in ours.parameters()]
    optimiser = AdamW(zip(ours.parameters(), peaks, strict=True), 0.0)
    ours(torch.randn(8, 4)).square().sum().backward()
    optimiser.set_lr_factor(0.5)
    optimiser.step()
    for one, old, peak in zip(ours.parameters(), before, peaks, strict=True):
        assert (one - old).abs().max().item() == pytest.approx(peak / 2, rel=1e-3)
