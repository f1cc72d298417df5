"""Lightning: a module and a trainer for each fold, validated after each epoch."""

import logging
import warnings
from typing import Any

from lightning import LightningModule, Trainer
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from benchmarks.contestants.entry import Entry
from benchmarks.contestants.pictures import adamw, load


class _Classifier(LightningModule):
    def __init__(self, entry: Entry, fold: int) -> None:
        super().__init__()
        self._entry, self._n_steps = entry, entry.n_steps(fold)
        self._network = entry.module(fold)

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, labels = batch
        loss = cross_entropy(self._network(images), labels)
        self.log("loss", loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        images, labels = batch
        logits = self._network(images)
        right = (logits.argmax(1) == labels).float().mean()
        self.log("accuracy", right, batch_size=len(labels))

    def configure_optimizers(self) -> Any:  # noqa: ANN401 - Lightning's own union of types
        optimiser = adamw(self._entry, self._network)
        schedule = LambdaLR(optimiser, lambda step: self._entry.relative_lr(step, self._n_steps))
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def train_folds(entry: Entry) -> list[float]:
    """Train the folds and return the accuracy of each."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")  # advice on the number of workers, which the race measures
    return [_train(entry, fold) for fold in entry.folds]


def _train(entry: Entry, fold: int) -> float:
    classifier = _Classifier(entry, fold)
    entry.seed_torch(fold)
    trainer = Trainer(
        max_epochs=entry.section.epochs,
        accelerator="gpu" if entry.device.type == "cuda" else "cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    training = load(entry, entry.training(fold), train=True)
    trainer.fit(classifier, training, load(entry, entry.validation(fold), train=False))
    accuracy: Tensor = trainer.callback_metrics["accuracy"]
    return float(accuracy)
