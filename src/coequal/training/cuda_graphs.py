"""Moves that are recorded once as a CUDA graph and then launched as a whole: the CPU gives one
command instead of hundreds, for which a GPU otherwise waits with small nets.

What is recorded is the loss of a move and its gradient. Drawing batches and latents, steps of
optimisers, averages, checks and signals stay as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from coequal.contract import Loss
from coequal.training.move_loss import Computed, Judged, MoveInputs

WARM_UP = 3  # moves of a kind before it is recorded: libraries choose their kernels in them


class Outcome(NamedTuple):
    """What a recorded move gives: tensors that the next replay writes to again.

    Attributes:
        computed: the loss and what was judged.
        gradients: of the player's parameters, in their order; None where there is none.
    """

    computed: Computed
    gradients: list[Tensor | None]

    def tensors(self) -> list[Tensor]:
        """All of them, in a fixed order."""
        return [*_tensors(self.computed), *(g for g in self.gradients if g is not None)]


class Recording(Protocol):
    """A function that was recorded."""

    def replay(self) -> Outcome:
        """What the function gives for the present values of its inputs."""
        ...


class CudaGraph:
    """A recording on an NVIDIA GPU.

    Args:
        function: that is recorded; it is called once.
        generators: random streams that it draws from, which go on from replay to replay.
    """

    def __init__(
        self, function: Callable[[], Outcome], generators: Sequence[torch.Generator]
    ) -> None:
        self._graph = torch.cuda.CUDAGraph()
        for generator in generators:
            self._graph.register_generator_state(generator)
        with torch.cuda.graph(self._graph):
            self._outcome = function()

    def replay(self) -> Outcome:
        """See `Recording`."""
        self._graph.replay()
        return self._outcome


Record = Callable[[Callable[[], Outcome], Sequence[torch.Generator]], Recording]


class MoveGraphs:
    """The recorded moves of a training, one for each kind.

    Args:
        generators: random streams that moves draw from.
        record: makes a recording; `CudaGraph` but in tests.
    """

    def __init__(self, generators: Sequence[torch.Generator], record: Record = CudaGraph) -> None:
        self._generators, self._record = list(generators), record
        self._seen: dict[str, int] = {}
        self._recorded: dict[str, tuple[MoveInputs, Recording]] = {}

    def run(
        self,
        kind: str,
        net: nn.Module,
        inputs: MoveInputs,
        compute: Callable[[MoveInputs], Computed],
    ) -> Computed:
        """The loss of a move, whose gradient is then in the parameters.

        Args:
            kind: of the move; moves of one kind differ in their inputs alone.
            net: of the player.
            inputs: what the move begins with.
            compute: computes the loss, and puts its gradient into the parameters.

        Raises:
            ValueError: the move can't be recorded, as one that reads a value from the device.
        """
        self._seen[kind] = self._seen.get(kind, 0) + 1
        if self._seen[kind] <= WARM_UP:
            return compute(inputs)
        if kind not in self._recorded:
            self._recorded[kind] = self._recording(kind, net, inputs, compute)
        held, recording = self._recorded[kind]
        for place, value in zip(_inputs(held), _inputs(inputs), strict=True):
            place.copy_(value)
        computed, gradients = recording.replay()
        for parameter, gradient in zip(net.parameters(), gradients, strict=True):
            parameter.grad = gradient
        return _kept(computed)

    def _recording(
        self,
        kind: str,
        net: nn.Module,
        inputs: MoveInputs,
        compute: Callable[[MoveInputs], Computed],
    ) -> tuple[MoveInputs, Recording]:
        held = _copied(inputs)

        def function() -> Outcome:
            computed = compute(held)
            return Outcome(_detached(computed), [each.grad for each in net.parameters()])

        try:
            return held, self._record(function, self._generators)
        except RuntimeError as error:
            who = kind.partition(":")[0]
            raise ValueError(
                f"training.cuda_graphs: a move of the {who} can't be recorded; a loss or a net "
                "that reads a value (float(tensor), .item(), if tensor:) can't be; what would do: "
                f"cuda_graphs: false ({str(error).splitlines()[0]})"
            ) from error


def _inputs(inputs: MoveInputs) -> Iterator[Tensor]:
    real, latents, state = inputs
    for value in (real.images, real.labels, real.sources, *latents, *state.values()):
        if value is not None:
            yield value


def _copied(inputs: MoveInputs) -> MoveInputs:
    real, latents, state = inputs
    labels, sources = (
        None if value is None else value.clone() for value in (real.labels, real.sources)
    )
    return MoveInputs(
        type(real)(real.images.clone(), labels, sources),
        tuple(value.clone() for value in latents),
        {name: value.clone() for name, value in state.items()},
    )


def _mapped(computed: Computed, of: Callable[[Tensor], Tensor]) -> Computed:
    """The same with every tensor replaced."""
    (value, parts, state), judged = computed

    def output(given: Any) -> Any:
        return None if given is None else type(given)(**{k: of(v) for k, v in vars(given).items()})

    if judged is not None:
        exchanged = None if judged.exchanged is None else of(judged.exchanged)
        judged = Judged(output(judged.real), output(judged.fake), exchanged, of(judged.images))
    loss = Loss(
        of(value),
        {name: of(part) for name, part in parts.items()},
        {name: of(part) for name, part in state.items()},
    )
    return Computed(loss, judged)


def _detached(computed: Computed) -> Computed:
    return _mapped(computed, lambda value: value.detach())


def _kept(computed: Computed) -> Computed:
    """Copies, which the next replay does not write to."""
    return _mapped(computed, lambda value: value.clone())


def _tensors(computed: Computed) -> list[Tensor]:
    found: list[Tensor] = []

    def add(value: Tensor) -> Tensor:
        found.append(value)
        return value

    _mapped(computed, add)
    return found
