"""Make an architecture fit the data, prove that it works, and say what it weighs."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.build.card.describe import describe, summarise
from stages.build.chains import require_spans
from stages.build.params import BuildParams
from stages.build.policy import settle
from stages.build.proof import prove, require_fit
from stages.build.resolve import frozen_by_default, resolve
from stages.build.weights.pretrained import start
from stages.contracts.card import write_card
from stages.contracts.command import run
from stages.contracts.dataset import read_info
from stages.contracts.json_file import write_text
from stages.contracts.network import write_network
from stages.contracts.params_file import read_params
from stages.contracts.weights import write_start


def main(argv: Sequence[str] | None = None) -> None:
    """Write network.json and, if pretrained, weights.safetensors; card.json and summary.txt."""
    parser = argparse.ArgumentParser(prog="python -m stages.build", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--summary", type=Path, required=True)
    given = parser.parse_args(argv)
    section = read_params(given.params, BuildParams).build
    wanted = section.of(given.model)
    info = read_info(given.dataset)
    network = resolve(given.model, section, info)
    require_spans(network)
    require_fit(network)
    network = settle(network, wanted, frozen_by_default(network))
    network, weights, findings = start(network, wanted, section)
    network = prove(network, weights, info.seed)
    card, table = describe(network, findings, info.classes)
    write_start(given.network, weights or None)
    write_network(given.network, network)
    write_card(given.summary, card)
    write_text(given.summary / "summary.txt", table)
    for caution in card.cautions:
        print(f"build: caution: {caution}")
    print(f"build: {summarise(card)} -> {given.network}")


if __name__ == "__main__":
    run(main)
