"""A plain loop like torchvision's references: loader, meters, one epoch after another."""

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from benchmarks.contestants.entry import Entry
from benchmarks.contestants.pictures import adamw, load

Batches = DataLoader[tuple[Tensor, int]]


def train_folds(entry: Entry) -> list[float]:
    """Train the folds and return the accuracy of each."""
    return [_train_fold(entry, fold) for fold in entry.folds]


def _train_fold(entry: Entry, fold: int) -> float:
    device = entry.device
    module = entry.module(fold).to(device)
    optimiser, n_steps = adamw(entry, module), entry.n_steps(fold)
    scheduler = LambdaLR(optimiser, lambda step: entry.relative_lr(step, n_steps))
    entry.seed_torch(fold)
    training = load(entry, entry.training(fold), train=True)
    validation = load(entry, entry.validation(fold), train=False)
    accuracy = 0.0
    for _ in range(entry.section.epochs):
        _train_one_epoch(module, training, optimiser, scheduler, device)
        accuracy = _evaluate(module, validation, device)
    return accuracy


def _train_one_epoch(
    module: nn.Module,
    batches: Batches,
    optimiser: torch.optim.Optimizer,
    scheduler: LambdaLR,
    device: torch.device,
) -> tuple[float, float]:
    """Take one step for each batch; return mean loss and accuracy."""
    module.train()
    criterion, losses, n_right, n = nn.CrossEntropyLoss(), 0.0, 0, 0
    for images, labels in batches:
        images, labels = images.to(device), labels.to(device)
        logits = module(images)
        loss = criterion(logits, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        scheduler.step()
        losses += loss.item() * len(labels)
        n_right += int((logits.argmax(1) == labels).sum())
        n += len(labels)
    return losses / n, n_right / n


@torch.inference_mode()
def _evaluate(module: nn.Module, batches: Batches, device: torch.device) -> float:
    module.eval()
    n_right, n = 0, 0
    for images, labels in batches:
        n_right += int((module(images.to(device)).argmax(1) == labels.to(device)).sum())
        n += len(labels)
    return n_right / n
