"""Train the final model on all training images."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.refit")

from collections.abc import Sequence

from foldwise.core.process import parse_options
from foldwise.engine.hardware import set_up
from foldwise.engine.refit import open_members, refit
from foldwise.engine.training import trained_on
from foldwise.files.base import write_json
from foldwise.files.dataset import read_dataset, read_digests
from foldwise.files.final import Refit, named_model, read_choice
from foldwise.files.network import read_network
from foldwise.files.params import read_params
from foldwise.files.split import read_recipe, read_split
from foldwise.nets.weights.tensors import read_initial_seen, read_initial_weights
from foldwise.run.guard import run_stage
from foldwise.run.progress import FoldProgressBar
from foldwise.ship.write_model import write_model


def main(argv: Sequence[str] | None = None) -> None:
    """Write model.json, model.safetensors and the record of the training."""
    args = parse_options("refit", __doc__, argv, "params choice dataset model record")
    params, choice = read_params(args.params, "train", "hardware"), read_choice(args.choice)
    hardware = set_up(params.hardware)
    section = params.train.model_copy(update={"epochs": choice.epochs})
    dataset = read_dataset(args.dataset)
    data = dataset, read_split(args.choice / "split"), read_recipe(args.choice / "recipe")
    network = read_network(args.choice / "network")
    start = read_initial_weights(args.choice / "network")
    folds = open_members(data, (choice.repeat, choice.members), network, hardware.device)
    members, n = [], len(folds)
    for number, fold in enumerate(folds, 1):
        title = f"{network.name}{f', network {number} of {n}' if n > 1 else ''}"
        n_images = choice.epochs * len(fold.training)
        with FoldProgressBar(title, n_images, choice.epochs, None, "training") as bar:
            members.append(refit(network, start, fold, section, hardware, bar))
    digests = read_digests(args.dataset).train
    seen = read_initial_seen(args.choice / "network"), *(digests[f.training] for f in folds)
    images = trained_on(dataset.info, folds[0]), seen
    write_model(args.model, choice, network, members, dataset, images)
    record = Refit(
        architecture=network.name,
        members=[training for _, _, training in members],
        machine=hardware.describe(),
    )
    write_json(args.record, record)
    accuracies = ", ".join(f"{training.train_accuracy:.4f}" for _, _, training in members)
    right = f"{accuracies} of {'their' if n > 1 else 'its'} training images right"
    print(f"refit: {named_model(network.name, n)}, {choice.epochs} epochs, {right} -> {args.model}")


if __name__ == "__main__":
    run_stage(main)
