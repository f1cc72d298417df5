"""Steps of training on a GPU as CUDA graphs: one launch a step instead of one a kernel.

A small network's kernels end sooner than Python can launch the next. Ng et al., "Accelerating
PyTorch with CUDA graphs", PyTorch blog, 2021.
"""

import gc
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

EAGER_STEPS = (
    3  # steps of a size before it is captured: libraries choose and load their kernels in them
)


class Step(Protocol):
    """A training step that can be captured."""

    def __call__(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Update the weights with one batch and return its loss."""

    def forget(self) -> None:
        """Drop the gradients of a step that was not finished."""


@dataclass(frozen=True)
class _Captured:
    """One step for batches of one size, and the memory that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    inputs: Tensor
    labels: Tensor
    loss: Tensor

    def replay(self, inputs: Tensor, labels: Tensor) -> Tensor:
        self.inputs.copy_(inputs)
        self.labels.copy_(labels)
        self.graph.replay()
        return self.loss.clone()


class GraphedStep:
    """A step that is captured once for each size of batch, and replayed from then on.

    The kernels and their order are those of the step itself, so results are, too. A network that
    cannot be captured, as one that looks at its numbers on the way, goes on kernel by kernel.
    """

    def __init__(self, step: Step, device: torch.device) -> None:
        """Take the step.

        Args:
            step: With what trains now: when that changes, a new object is due.
            device: A GPU.
        """
        self._step = step
        # Capturing needs one that is not the default.
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._seen: Counter[torch.Size] = Counter()
        self._captured: dict[torch.Size, _Captured] = {}
        self._can_be_captured = True

    def __call__(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Move the weights by one batch and return its loss.

        Args:
            inputs: (b, ...).
            labels: (b,).
        """
        size = inputs.shape
        self._seen[size] += 1
        if size not in self._captured and self._can_be_captured and self._seen[size] > EAGER_STEPS:
            self._capture(inputs, labels)
        if size in self._captured:
            return self._captured[size].replay(inputs, labels)
        return self._eager(inputs, labels)

    def _eager(self, inputs: Tensor, labels: Tensor) -> Tensor:
        current = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            loss = self._step(inputs, labels)
        current.wait_stream(self._stream)
        return loss

    def _capture(self, inputs: Tensor, labels: Tensor) -> None:
        """Record a step, which runs nothing yet."""
        graph = torch.cuda.CUDAGraph()
        # Sizes never run at once, and only losses outlive a replay: one pool of memory serves all.
        pool = next((one.graph.pool() for one in self._captured.values()), None)
        own = inputs.clone(), labels.clone()
        generator = torch.cuda.default_generators[inputs.device.index or 0]
        before = generator.clone_state()
        collects = gc.isenabled()
        gc.disable()  # a tensor that is freed amid capturing would break it
        try:
            with torch.cuda.graph(graph, pool=pool, stream=self._stream):
                loss = self._step(*own)
        except RuntimeError:
            self._can_be_captured = False
            self._step.forget()
            generator.graphsafe_set_state(before)  # its own believes that it is being captured
        else:
            self._captured[inputs.shape] = _Captured(graph, *own, loss)
        finally:
            if collects:
                gc.enable()
