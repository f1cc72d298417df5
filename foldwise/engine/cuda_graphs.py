"""Training steps on a GPU as CUDA graphs: one launch per step instead of one per kernel.

The kernels of a small network end sooner than Python can launch the next one. Ng et al.,
"Accelerating PyTorch with CUDA graphs", PyTorch blog, 2021.
"""

import gc
import random
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

EAGER_STEPS = 3  # steps of a batch size before its capture; libraries choose kernels in them


class Step(Protocol):
    """A training step that can be captured."""

    def __call__(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Update the weights with one batch and return its loss."""

    def discard_gradients(self) -> None:
        """Drop the gradients of a step that did not finish."""


@dataclass(frozen=True)
class _CapturedStep:
    """The graph of a step for one batch size, and the memory that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    inputs: Tensor
    labels: Tensor
    loss: Tensor

    def replay(self, inputs: Tensor, labels: Tensor) -> Tensor:
        self.inputs.copy_(inputs)
        self.labels.copy_(labels)
        self.graph.replay()
        return self.loss.clone()


def host_generators() -> tuple[object, ...]:
    """Return the states of the generators of random numbers outside of the GPU."""
    name, keys, *place = np.random.get_state(legacy=True)
    torch_state = torch.get_rng_state().numpy().tobytes()
    return random.getstate(), name, np.asarray(keys).tobytes(), *place, torch_state


class GraphedStep:
    """A step that is captured once per batch size and replayed from then on.

    Kernels and their order are those of the step itself, so results are the same. A network that
    cannot be captured, for example because it reads its activations, runs kernel by kernel. So does
    one that draws random numbers outside of the GPU, for example to skip layers: a replay would
    repeat those of the capture.
    """

    def __init__(self, step: Step, device: torch.device) -> None:
        """Prepare the capture.

        Args:
            step: Its set of trainable parameters must not change; make a new object when it does.
            device: A GPU.
        """
        self._step = step
        # A capture needs a stream that is not the default one.
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._n_seen: Counter[torch.Size] = Counter()
        self._captured: dict[torch.Size, _CapturedStep] = {}
        self._can_be_captured = True

    def __call__(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Update the weights with one batch and return its loss.

        Args:
            inputs: (b, ...).
            labels: (b,) true class.
        """
        shape = inputs.shape
        self._n_seen[shape] += 1
        is_due = shape not in self._captured and self._n_seen[shape] > EAGER_STEPS
        if is_due and self._can_be_captured:
            self._capture(inputs, labels)
        if shape in self._captured:
            return self._captured[shape].replay(inputs, labels)
        before = host_generators() if self._can_be_captured else None
        loss = self._run_eagerly(inputs, labels)
        if before is not None and host_generators() != before:
            self._can_be_captured = False
        return loss

    def _run_eagerly(self, inputs: Tensor, labels: Tensor) -> Tensor:
        current = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            loss = self._step(inputs, labels)
        current.wait_stream(self._stream)
        return loss

    def _capture(self, inputs: Tensor, labels: Tensor) -> None:
        """Record a step without running it."""
        graph = torch.cuda.CUDAGraph()
        # The graphs never run at once, and only losses outlive a replay: they share a memory pool.
        pool = next((step.graph.pool() for step in self._captured.values()), None)
        buffers = inputs.clone(), labels.clone()
        generator = torch.cuda.default_generators[inputs.device.index or 0]
        generator_state = generator.clone_state()
        gc_was_enabled = gc.isenabled()
        gc.disable()  # freeing a tensor during the capture would break it
        try:
            with torch.cuda.graph(graph, pool=pool, stream=self._stream):
                loss = self._step(*buffers)
        except RuntimeError:
            self._can_be_captured = False
            self._step.discard_gradients()
            # The generator still registers the capture that failed.
            generator.graphsafe_set_state(generator_state)
        else:
            self._captured[inputs.shape] = _CapturedStep(graph, *buffers, loss)
        finally:
            if gc_was_enabled:
                gc.enable()
