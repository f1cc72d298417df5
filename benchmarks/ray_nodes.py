"""A Ray cluster of several nodes on this machine, from Ray's own means for tests."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

HOME: dict[str, Any] = {"node_ip_address": "127.0.0.1", "include_dashboard": False}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # Ray's switch to stay on 127.0.0.1


@contextmanager
def ray_nodes(n: int, cpus: int, folder: Path) -> Iterator[Any]:
    """Have a cluster of nodes with so many CPUs each, beside a head that takes no trainings.

    Args:
        n: Nodes.
        cpus: Of each.
        folder: TMPDIR of the nodes.

    Yields:
        The ray.cluster_utils.Cluster.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Names of Ray's sockets may have 108 bytes, so that they lie where paths are short.
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as short:
        own = LOOPBACK | {"TMPDIR": str(folder.resolve()), "RAY_TMPDIR": short}
        with patch.dict(os.environ, own):
            from ray.cluster_utils import Cluster  # an extra, which takes a second to import

            cluster = Cluster(initialize_head=True, head_node_args=HOME | {"num_cpus": 0})
            try:
                for _ in range(n):
                    cluster.add_node(num_cpus=cpus, **HOME)
                yield cluster
            finally:
                cluster.shutdown()  # type: ignore[no-untyped-call]
