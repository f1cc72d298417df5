"""Five folds of FashionMNIST as a plain PyTorch script does them, from the files to accuracies.

It shares nothing with Foldwise but the definition of the network. It prints one accuracy per fold.
"""

import argparse
import importlib

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

Batches = DataLoader[tuple[Tensor, Tensor]]
NORMALISE = transforms.Normalize(0.286, 0.353)
AUGMENT = transforms.RandomCrop(28, padding=3, padding_mode="edge")


def main() -> None:
    """Train and evaluate every fold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True, help="torchvision's root")
    parser.add_argument("--model", required=True, help="a module of foldwise.nets.zoo")
    for name in ("images", "epochs", "threads", "workers"):
        parser.add_argument(f"--{name}", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    build = importlib.import_module(f"foldwise.nets.zoo.{args.model}").build
    augmented = transforms.Compose([AUGMENT, transforms.ToTensor(), NORMALISE])
    plain = transforms.Compose([transforms.ToTensor(), NORMALISE])
    training = datasets.FashionMNIST(args.root, transform=augmented)
    validation = datasets.FashionMNIST(args.root, transform=plain)
    subset = np.random.default_rng(0).permutation(len(training))[: args.images]
    splits = StratifiedKFold(5, shuffle=True, random_state=0)
    for fold, (train, valid) in enumerate(splits.split(subset, training.targets[subset])):
        torch.manual_seed(fold)
        loader = {
            "batch_size": 64,
            "num_workers": args.workers,
            "persistent_workers": args.workers > 0,
        }
        accuracy = train_fold(
            build(1, 28, 28, 10),
            DataLoader(Subset(training, subset[train]), shuffle=True, **loader),
            DataLoader(Subset(validation, subset[valid]), **loader),
            args.epochs,
        )
        print(f"fold {fold}: {accuracy:.4f}", flush=True)


def train_fold(module: nn.Module, training: Batches, validation: Batches, n: int) -> float:
    """Return the validation accuracy after n epochs."""
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.002, weight_decay=0.05)
    steps = n * len(training)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=steps)
    accuracy = 0.0
    for _ in range(n):
        module.train()
        for images, labels in training:
            loss = nn.functional.cross_entropy(module(images), labels)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        accuracy = evaluate(module, validation)
    return accuracy


@torch.inference_mode()
def evaluate(module: nn.Module, batches: Batches) -> float:
    """Return the share of images that are classified correctly."""
    module.eval()
    right = [module(images).argmax(1) == labels for images, labels in batches]
    return float(torch.cat(right).float().mean())


if __name__ == "__main__":
    main()
