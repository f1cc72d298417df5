"""Train one architecture on one fold, unless a race has settled that fold."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.train")

from argparse import Namespace
from collections.abc import Sequence

from foldwise.core.atomic import sole_writer
from foldwise.core.process import parse_options
from foldwise.engine.raced import settle
from foldwise.files.dataset import read_dataset, read_digests
from foldwise.files.features import read_features
from foldwise.files.fold_record import FoldRecord, result_line, write_predictions, write_record
from foldwise.files.network import read_network
from foldwise.files.params import read_params
from foldwise.files.split import read_recipe, read_split
from foldwise.files.tuning import read_rate
from foldwise.run.guard import require_checked_code, run_stage

PATHS = "params dataset split recipe network features rate predictions record forecast"


def main(argv: Sequence[str] | None = None) -> None:
    """Write the fold record, predictions.npz and, if kept, weights.safetensors."""
    args = parse_options("train", __doc__, argv, f"{PATHS} first race", repeat=int, fold=int)
    place = args.repeat, args.fold
    with sole_writer(args.predictions):
        record = settle(args.race, args.split, place, args.first, args.predictions) or train(args)
        write_record(args.record, record)
    print(f"train: {result_line(record)} -> {args.record}")


def train(args: Namespace) -> FoldRecord:
    """Train the fold, write its predictions and weights, and return its record."""
    # Imported here: a fold that does not train needs no torch, which takes seconds to load.
    from foldwise.engine.hardware import set_up
    from foldwise.engine.training import open_fold, train_fold, trained_on
    from foldwise.nets.weights import tensors
    from foldwise.run.progress import fold_bar

    require_checked_code()
    params = read_params(args.params, "train", "hardware")
    hardware = set_up(params.hardware)
    data = read_dataset(args.dataset), read_split(args.split), read_recipe(args.recipe)
    network = read_network(args.network)
    section = params.train.model_copy(update={"learning_rate": read_rate(args.rate)})
    features, start = read_features(args.features), tensors.read_initial_weights(args.network)
    fold = open_fold(data, (args.repeat, args.fold), network, features, hardware.device)
    with fold_bar(network.name, fold, section.epochs, args.forecast) as bar:
        result = train_fold(network, start, fold, section, hardware, bar)
    write_predictions(args.predictions, result.predictions)
    seen = read_digests(args.dataset).train[fold.training], tensors.read_initial_seen(args.network)
    described = trained_on(data[0].info, fold)
    tensors.write_trained_weights(args.predictions, result.weights, described, *seen)
    return result.record


if __name__ == "__main__":
    run_stage(main)
