"""Make an architecture fit the data, prove that it works, and say what it weighs."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.build.describe import describe, summarise
from stages.build.params import BuildParams
from stages.build.pretrained import read_pretrained
from stages.build.proof import prove, require_fit
from stages.build.resolve import resolve
from stages.contracts.card import write_card
from stages.contracts.command import run
from stages.contracts.dataset import read_info
from stages.contracts.json_file import write_text
from stages.contracts.network import digest, write_network
from stages.contracts.params_file import read_params


def main(argv: Sequence[str] | None = None) -> None:
    """Write network.json and, if pretrained, weights.safetensors; card.json and summary.txt."""
    parser = argparse.ArgumentParser(prog="python -m stages.build", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--summary", type=Path, required=True)
    arguments = parser.parse_args(argv)
    wanted = read_params(arguments.params, BuildParams).build.of(arguments.model)
    info = read_info(arguments.dataset)
    network = resolve(arguments.model, wanted, info)
    require_fit(network)
    weights = None
    if wanted.weights is not None and wanted.weights_sha256 is not None:
        weights = read_pretrained(Path(wanted.weights), wanted.weights_sha256, network)
        network = network.model_copy(update={"weights_sha256": digest(weights)})
    prove(network, weights or {}, info.seed)
    card, table = describe(network, wanted, info.classes)
    write_network(arguments.network, network, weights)
    write_card(arguments.summary, card)
    write_text(arguments.summary / "summary.txt", table)
    print(f"build: {summarise(card)} -> {arguments.network}")


if __name__ == "__main__":
    run(main)
