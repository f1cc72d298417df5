import pytest
import torch
from families import mostly_slow

from foldwise.core.process import count_cores
from foldwise.files.measurements import read_latency, write_latency
from foldwise.nets import latency
from foldwise.nets.latency import latency_of


@pytest.fixture
def network(network_of):
    return network_of("lenet5", 1, 8)


def test_build_measures_once_on_a_machine(build, tmp_path):
    network, summary = build("lenet5")
    first = (summary / "latency.json").read_bytes()
    before = {path.name: path.read_bytes() for path in network.iterdir()}
    build("lenet5")
    assert (summary / "latency.json").read_bytes() == first
    (tmp_path / "latency" / "lenet5.json").unlink()
    build("lenet5")
    assert (summary / "latency.json").read_bytes() != first
    assert {path.name: path.read_bytes() for path in network.iterdir()} == before


@pytest.mark.parametrize("changed", mostly_slow(["network", "machine", "format"], ["machine"]))
def test_measurement_of_another_network_or_machine_is_not_taken(network, tmp_path, changed):
    kept = tmp_path / "latency.json"
    measured = latency_of(network, {}, kept)
    assert latency_of(network, {}, kept) == measured
    other = measured.model_copy(update={"image": 9.0})
    if changed == "format":
        kept.write_text("{}")
    else:
        network_hash = "0" * 64 if changed == "network" else other.network
        cpu = "Xeon" if changed == "machine" else other.machine.cpu
        machine = other.machine.model_copy(update={"cpu": cpu})
        write_latency(kept, other.model_copy(update={"network": network_hash, "machine": machine}))
    assert latency_of(network, {}, kept).image != 9
    assert read_latency(kept).machine.cpu != "Xeon"


def test_settings_of_the_training_keep_the_measurement(network, tmp_path):
    measured = latency_of(network, {}, tmp_path / "latency.json")
    write_latency(tmp_path / "latency.json", measured.model_copy(update={"image": 9.0}))
    trained = {"frozen": network.heads, "keep_weights": True, "thaw": []}
    other = network.with_learning_rate(1e30).model_copy(update=trained)
    assert latency_of(other, {}, tmp_path / "latency.json").image == 9


def test_all_four_settings_are_measured_and_the_threads_stay(network, tmp_path):
    before = torch.get_num_threads()
    measured = latency_of(network, {}, tmp_path / "latency.json")
    assert torch.get_num_threads() == before
    times = measured.image, measured.image_all_threads, measured.batch, measured.batch_all_threads
    assert all(time > 0 for time in times)
    assert measured.machine.threads == count_cores()


def test_a_batch_that_takes_too_long_is_not_measured(network, tmp_path, monkeypatch):
    monkeypatch.setattr(latency, "MOST_BATCH_SECONDS", 0.0)
    measured = latency_of(network, {}, tmp_path / "latency.json")
    assert measured.image > 0
    assert (measured.batch, measured.batch_all_threads) == (None, None)
