"""A Ray cluster of several nodes on this machine, from Ray's own means for tests."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ray.cluster_utils import Cluster

HOME: dict[str, Any] = {"node_ip_address": "127.0.0.1", "include_dashboard": False}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # Ray's switch to stay on 127.0.0.1


@contextmanager
def ray_nodes(n: int, folder: Path) -> Iterator[str]:
    """Have a cluster of nodes with one CPU each, beside a head that takes no trainings.

    Args:
        n: Nodes.
        folder: TMPDIR of the nodes.

    Yields:
        Its address.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Names of Ray's sockets may have 108 bytes, so that they lie where paths are short.
    with tempfile.TemporaryDirectory(prefix="ray") as short:
        own = LOOPBACK | {"TMPDIR": str(folder.resolve()), "RAY_TMPDIR": short}
        with patch.dict(os.environ, own):
            cluster = Cluster(initialize_head=True, head_node_args=HOME | {"num_cpus": 0})
            try:
                for _ in range(n):
                    cluster.add_node(num_cpus=1, **HOME)
                yield cluster.address
            finally:
                cluster.shutdown()  # type: ignore[no-untyped-call]
