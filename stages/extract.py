"""Run the part of a network that never trains, once for all folds and epochs."""

from foldwise.core.process import tune_python

if __name__ == "__main__":
    tune_python()

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.errors import run_main
from foldwise.files.dataset import read_dataset
from foldwise.files.features import FeaturesInfo, why_no_features, write_features_info
from foldwise.files.network import read_network
from foldwise.files.params import read_params
from foldwise.files.split import read_recipe


def main(argv: Sequence[str] | None = None) -> None:
    """Write features.json and, where a part can run once, the arrays that it names."""
    parser = argparse.ArgumentParser(prog="python -m stages.extract", description=__doc__)
    for flag in ("--params", "--dataset", "--recipe", "--network", "--output"):
        parser.add_argument(flag, type=Path, required=True)
    given = parser.parse_args(argv)
    params, network = read_params(given.params, "extract", "hardware"), read_network(given.network)
    reason = why_no_features(network)
    if reason is None:
        # Here, since most networks have nothing to extract, and torch takes seconds to load.
        from foldwise.engine.extract import store_features

        data = read_dataset(given.dataset), read_recipe(given.recipe)
        info = store_features(given.output, network, given.network, data, params)
    else:
        info = FeaturesInfo(views=[], dtype="float32", reason=reason)
    write_features_info(given.output, info)
    said = f"{len(info.views)} views" if info.views else f"no features, {info.reason}"
    print(f"extract: {network.name}, {said} -> {given.output}")


if __name__ == "__main__":
    run_main(main)
