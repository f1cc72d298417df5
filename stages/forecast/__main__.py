"""Time every architecture of the comparison, and say how long it will take before it begins."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.contracts.command import run
from stages.contracts.dataset import read_info
from stages.contracts.forecast import write_forecast
from stages.contracts.network import read_network
from stages.contracts.params_file import read_params
from stages.forecast.measure import measure
from stages.forecast.params import ForecastParams
from stages.forecast.plan import foresee
from stages.forecast.wording import shortcuts, table, total
from stages.train.hardware import set_up


def main(argv: Sequence[str] | None = None) -> None:
    """Write minutes.json and ready.json."""
    parser = argparse.ArgumentParser(prog="python -m stages.forecast", description=__doc__)
    for flag in ("--params", "--dataset", "--models", "--output"):
        parser.add_argument(flag, type=Path, required=True)
    given = parser.parse_args(argv)
    params, info = read_params(given.params, ForecastParams), read_info(given.dataset)
    hardware = set_up(params.hardware)
    networks = {model: read_network(given.models / model) for model, _, _ in params.plan}
    paces = {model: measure(network, info, params, hardware) for model, network in networks.items()}
    forecast = foresee(params.plan, paces, info.n_train, len(params.folds), params.train.epochs)
    write_forecast(given.output, forecast)
    for line in (*table(forecast), *shortcuts(forecast)):
        print(f"forecast: {line}")
    print(f"forecast: {total(forecast)} -> {given.output / 'minutes.json'}")


if __name__ == "__main__":
    run(main)
