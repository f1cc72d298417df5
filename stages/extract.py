"""Run the frozen part of a network once, for all folds and epochs."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.extract")

from collections.abc import Sequence

from foldwise.core.process import parse_options
from foldwise.files.dataset import read_dataset
from foldwise.files.features import FeaturesInfo, why_no_features, write_features_info
from foldwise.files.measurements import Extraction, write_extraction
from foldwise.files.network import read_network
from foldwise.files.params import read_params
from foldwise.files.split import read_recipe
from foldwise.run.guard import require_checked_code, run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write features.json, its arrays if a part of the network is frozen, and how long it took."""
    args = parse_options("extract", __doc__, argv, "params dataset recipe network output timing")
    params, network = read_params(args.params, "extract", "hardware"), read_network(args.network)
    reason = why_no_features(network)
    if reason is None:
        # Imported here: most networks have no features, and torch takes seconds to load.
        from foldwise.engine.extract import store_features

        require_checked_code()
        data = read_dataset(args.dataset), read_recipe(args.recipe)
        info, timing = store_features(args.output, network, args.network, data, params)
    else:
        info = FeaturesInfo(views=[], dtype="float32", reason=reason)
        timing = Extraction(seconds=0, machine=None)
    write_features_info(args.output, info)
    write_extraction(args.timing, timing)
    summary = f"{len(info.views)} views" if info.views else f"no features, {info.reason}"
    print(f"extract: {network.name}, {summary} -> {args.output}")


if __name__ == "__main__":
    run_stage(main)
