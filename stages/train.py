"""Train one architecture on one fold."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.train")

from collections.abc import Sequence

from foldwise.core.atomic import sole_writer
from foldwise.core.errors import run_main
from foldwise.core.process import parse_options
from foldwise.engine.hardware import set_up
from foldwise.engine.training import open_fold, train_fold, trained_on
from foldwise.files.dataset import read_dataset, read_digests
from foldwise.files.features import read_features
from foldwise.files.fold_record import write_predictions, write_record
from foldwise.files.forecast import read_forecast
from foldwise.files.network import read_network
from foldwise.files.params import read_params, require_unchanged
from foldwise.files.split import read_recipe, read_split
from foldwise.files.tuning import read_rate
from foldwise.nets.weights.tensors import (
    read_initial_seen,
    read_initial_weights,
    write_trained_weights,
)
from foldwise.run.progress import FoldProgressBar, result_line


def main(argv: Sequence[str] | None = None) -> None:
    """Write the fold record, predictions.npz and, if kept, weights.safetensors."""
    paths = "params dataset split recipe network features rate predictions record forecast"
    args = parse_options("train", __doc__, argv, paths, repeat=int, fold=int)
    params = read_params(args.params, "train", "hardware")
    hardware, epochs = set_up(params.hardware), params.train.epochs
    data = read_dataset(args.dataset), read_split(args.split), read_recipe(args.recipe)
    network = read_network(args.network).with_learning_rate(read_rate(args.rate))
    features = read_features(args.features)
    fold = open_fold(data, (args.repeat, args.fold), network, features, hardware.device)
    forecast = read_forecast(args.forecast) if args.forecast.is_file() else None
    following = forecast.after(network.name, args.repeat, args.fold) if forecast else None
    last = fold.n_folds - 1
    title = f"{network.name} repeat {fold.repeat} fold {fold.number} (of 0 to {last})"
    with sole_writer(args.predictions):
        start = read_initial_weights(args.network)
        with FoldProgressBar(title, epochs * len(fold.training), epochs, following) as bar:
            result = train_fold(network, start, fold, params.train, hardware, bar)
        require_unchanged(params, args.params)
        write_predictions(args.predictions, result.predictions)
        seen = read_digests(args.dataset).train[fold.training], read_initial_seen(args.network)
        write_trained_weights(
            args.predictions, result.weights, trained_on(data[0].info, fold), *seen
        )
        write_record(args.record, result.record)
    print(f"train: {result_line(result.record)} -> {args.record}")


if __name__ == "__main__":
    run_main(main)
