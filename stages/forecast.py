"""Time every architecture of the comparison, and say how long it will take before it begins."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.forecast")

from collections.abc import Sequence

from foldwise.core.process import parse_options
from foldwise.engine.hardware import set_up
from foldwise.files.dataset import read_info
from foldwise.files.forecast import write_forecast
from foldwise.files.network import read_network
from foldwise.files.params import RUN_KEYS, read_params
from foldwise.plan.forecast import forecast_lines, forecast_runs, total_line
from foldwise.plan.measure import measure_throughput
from foldwise.run.guard import run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write minutes.json and ready.json."""
    args = parse_options("forecast", __doc__, argv, "params dataset models output")
    sections = ("train", "augment", "extract", "hardware", "forecast", "compare")
    params, info = read_params(args.params, *RUN_KEYS, *sections), read_info(args.dataset)
    hardware = set_up(params.hardware)
    networks = {model: read_network(args.models / model) for model in params.models}
    throughputs = {
        model: measure_throughput(network, info, params, hardware)
        for model, network in networks.items()
    }
    forecast = forecast_runs(params, throughputs, info.n_train)
    write_forecast(args.output, forecast)
    races = params.compare.race
    for line in forecast_lines(forecast):
        print(f"forecast: {line}")
    print(f"forecast: {total_line(forecast, races=races)} -> {args.output / 'minutes.json'}")


if __name__ == "__main__":
    run_stage(main)
