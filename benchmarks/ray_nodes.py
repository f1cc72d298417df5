"""A Ray cluster of several nodes on this machine, with Ray's tools for tests."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

NODE: dict[str, Any] = {"node_ip_address": "127.0.0.1", "include_dashboard": False}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # makes Ray stay on 127.0.0.1


@contextmanager
def ray_nodes(n: int, cpus: int, folder: Path) -> Iterator[Any]:
    """Run a cluster while the context is open; yield the ray.cluster_utils.Cluster.

    Args:
        n: Number of worker nodes. The head node takes no trainings.
        cpus: CPUs of each worker node.
        folder: TMPDIR of the nodes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The path of a socket has at most 107 bytes, so Ray's sockets need a short folder.
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as short:
        variables = LOOPBACK | {"TMPDIR": str(folder.resolve()), "RAY_TMPDIR": short}
        with patch.dict(os.environ, variables):
            from ray.cluster_utils import Cluster  # optional, and takes a second

            cluster = Cluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0})
            try:
                for _ in range(n):
                    cluster.add_node(num_cpus=cpus, **NODE)
                yield cluster
            finally:
                cluster.shutdown()  # type: ignore[no-untyped-call]
