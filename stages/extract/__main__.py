"""Run the part of a network that never trains, once for all folds and epochs."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.contracts.command import run
from stages.contracts.dataset import read_dataset
from stages.contracts.features import FeaturesInfo, write_features_info
from stages.contracts.network import read_network
from stages.contracts.params_file import read_params
from stages.contracts.recipe import read_recipe
from stages.extract.params import ExtractParams
from stages.extract.plan import obstacle


def main(argv: Sequence[str] | None = None) -> None:
    """Write features.json and, where a part can run once, the arrays that it names."""
    parser = argparse.ArgumentParser(prog="python -m stages.extract", description=__doc__)
    for flag in ("--params", "--dataset", "--recipe", "--network", "--output"):
        parser.add_argument(flag, type=Path, required=True)
    given = parser.parse_args(argv)
    params, network = read_params(given.params, ExtractParams), read_network(given.network)
    reason = obstacle(network)
    if reason is None:
        # Here, since most networks have nothing to extract, and torch takes seconds to load.
        from stages.extract.store import store

        data = read_dataset(given.dataset), read_recipe(given.recipe)
        info = store(given.output, network, given.network, data, params)
    else:
        info = FeaturesInfo(views=[], dtype="float32", reason=reason)
    write_features_info(given.output, info)
    said = f"{len(info.views)} views" if info.views else f"no features, {info.reason}"
    print(f"extract: {network.name}, {said} -> {given.output}")


if __name__ == "__main__":
    run(main)
