"""Find the learning rate of one architecture, unless params.yaml has it."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.tune")

from collections.abc import Sequence

from foldwise.core.process import parse_options
from foldwise.files.dataset import read_dataset
from foldwise.files.features import read_features
from foldwise.files.network import read_network
from foldwise.files.params import read_params
from foldwise.files.split import read_recipe, read_split
from foldwise.files.tuning import rate_of_params, write_rate, write_tuning
from foldwise.run.guard import require_checked_code, run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write the learning rate, and what was tried."""
    paths = "params dataset split recipe network features rate tried"
    args = parse_options("tune", __doc__, argv, paths)
    params, network = read_params(args.params, "train", "hardware"), read_network(args.network)
    tuning = rate_of_params(network, params.train)
    if tuning is None:
        # Imported here: a rate of params.yaml needs no torch, which takes seconds to load.
        from foldwise.engine.hardware import set_up
        from foldwise.engine.training import open_fold
        from foldwise.engine.tuning import tune_learning_rate
        from foldwise.nets.weights.tensors import read_initial_weights

        require_checked_code()
        hardware = set_up(params.hardware)
        data = read_dataset(args.dataset), read_split(args.split), read_recipe(args.recipe)
        fold = open_fold(data, (0, 0), network, read_features(args.features), hardware.device)
        weights = read_initial_weights(args.network)
        tuning = tune_learning_rate(network, weights, (fold, data[1]), params.train, hardware)
    write_rate(args.rate, tuning.learning_rate)
    write_tuning(args.tried, tuning)
    print(f"tune: {network.name}, learning rate {tuning.text} -> {args.rate}")


if __name__ == "__main__":
    run_stage(main)
