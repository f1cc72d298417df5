"""A latency of the real schema."""

from foldwise.files.fold_record import Machine
from foldwise.files.measurements import Latency

MACHINE = Machine(
    cpu="EPYC",
    device="cpu",
    precision="float32",
    threads=2,
    versions={"python": "3.11.9", "torch": "2.14.0"},
)
LATENCY = Latency(
    image=0.002,
    image_all_threads=0.001,
    batch=0.0015,
    batch_all_threads=None,
    batch_size=8,
    network="ab" * 32,
    machine=MACHINE,
)
