"""Steps on a GPU: captured ones do what those do that are launched kernel by kernel."""

import random
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from foldwise.engine.cuda_graphs import EAGER_STEPS, GraphedStep, host_generators
from foldwise.engine.hardware import set_up
from foldwise.engine.optimiser import open_optimiser
from foldwise.engine.trainer import TrainingStep
from foldwise.files.params import HardwareSection, TrainSection

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")

SIZES = [16, 16, 15, 16, 16, 15, 15, 16, 15, 16, 15, 15]  # each more often than EAGER
RATES = [0.01 / (1 + step) for step in range(len(SIZES))]


class Looking(nn.Module):
    """Looks at its numbers amid its work, for which a GPU has to wait."""

    def forward(self, x):
        return x * 2 if x.mean().item() > 100 else x


class Skipping(nn.Conv2d):
    """Is skipped at random, as in layer drop."""

    def forward(self, x):
        return x if self.training and torch.rand(1).item() < 0.5 else super().forward(x)


def network(*more):
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout(0.3),
        *more,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    ]
    return nn.Sequential(*layers).cuda().to(memory_format=torch.channels_last)


def hardware(precision):
    return set_up(HardwareSection(precision=precision, device="cuda", threads=2))


def opened(module, precision, **section):
    """Return a step and its optimiser."""
    train = TrainSection(
        epochs=1, batch_size=16, learning_rate=1.0, weight_decay=0.1, warmup=0.1, **section
    )
    rates = dict.fromkeys(dict(module.named_parameters()), 1.0)
    optimiser = open_optimiser(module, rates, train.weight_decay, train)
    return TrainingStep(module, optimiser, hardware(precision)), optimiser


def train(module, step, optimiser):
    """Return the losses of all steps; weights change in place."""
    generator, losses = torch.Generator().manual_seed(1), []
    torch.manual_seed(2)  # dropout
    for n, rate in zip(SIZES, RATES, strict=True):
        inputs = torch.randn(n, 3, 8, 8, generator=generator).cuda()
        labels = torch.randint(0, 4, (n,), generator=generator).cuda()
        optimiser.set_lr_factor(rate)
        losses.append(step(inputs.contiguous(memory_format=torch.channels_last), labels).item())
    return losses


@needs_cuda
@pytest.mark.parametrize(
    ("precision", "section"),
    [
        ("float32", {}),
        ("bfloat16", {}),
        ("float32", {"optimiser": "sgd", "clip_norm": 0.1}),
        ("float32", {"clip_norm": 0.1}),
    ],
)
def test_replayed_steps_give_the_bits_of_steps_launched_one_by_one(precision, section):
    one, other = network(), network()
    plain, optimiser = opened(one, precision, **section)
    expected = train(one, plain, optimiser)
    step, optimiser = opened(other, precision, **section)
    replayed = GraphedStep(step, torch.device("cuda"))
    assert train(other, replayed, optimiser) == expected
    assert len(replayed._captured) == 2  # one a size
    for ours, theirs in zip(other.state_dict().items(), one.state_dict().items(), strict=True):
        assert torch.equal(ours[1], theirs[1]), ours[0]


@needs_cuda
@pytest.mark.parametrize("more", [Looking(), Skipping(8, 8, 1)], ids=["looks", "skips at random"])
def test_what_cannot_be_captured_goes_on_as_it_did(more):
    one, other = network(deepcopy(more)), network(deepcopy(more))
    plain, optimiser = opened(one, "float32")
    expected = train(one, plain, optimiser)
    step, optimiser = opened(other, "float32")
    replayed = GraphedStep(step, torch.device("cuda"))
    assert train(other, replayed, optimiser) == expected
    assert not replayed._captured


@needs_cuda
def test_the_first_steps_are_not_captured():
    module = network()
    step, optimiser = opened(module, "float32")
    replayed = GraphedStep(step, torch.device("cuda"))
    optimiser.set_lr_factor(1.0)
    for _ in range(EAGER_STEPS):
        replayed(torch.randn(4, 3, 8, 8).cuda(), torch.zeros(4, dtype=torch.int64).cuda())
    assert not replayed._captured


@needs_cuda
def test_what_is_frozen_in_a_captured_step_stays_to_the_bit():
    module = network()
    module[0].requires_grad_(requires_grad=False)
    before = module[0].weight.clone()
    step, optimiser = opened(module, "float32")
    train(module, GraphedStep(step, torch.device("cuda")), optimiser)
    assert torch.equal(module[0].weight, before)


@pytest.mark.parametrize("draw", [random.random, lambda: np.random.rand(1), lambda: torch.rand(1)])
def test_a_draw_outside_of_the_gpu_is_seen(draw):
    before = host_generators()
    assert host_generators() == before
    draw()
    assert host_generators() != before
