"""What the loop expects of the parts that it calls; everything else is refused in one sentence.

All of it is cheap: types and shapes at every move, values and global generators at the first moves
alone.
"""

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from coequal.code_places import described, is_own, located, place_of
from coequal.contract import (
    Adversarial,
    ClassLogits,
    ContractError,
    DiscriminatorOutput,
    Generator,
    Likelihood,
    Logits,
    Loss,
    Objective,
    Players,
    Reconstruction,
    Requirements,
    Samples,
)
from coequal.rng import GlobalStates

REMEDIES = {
    "discriminator": "a StochasticLayer draws from its stream",
    "measuring": "draw from the rng that it is given, or from a torch.Generator of its own",
    "loss": "draw from batch.rng (uniform, normal, integers, permutation)",
    "latents": "draw from the rng that it is given (uniform, normal, integers, permutation)",
    "forward": "take every random number of an image from the latents",
}


@contextmanager
def no_global_draws(
    function: Callable[..., Any], what: str, device: torch.device, *, watched: bool = True
) -> Iterator[None]:
    """Refuse draws from torch's, NumPy's or Python's global generator inside: no trial that makes
    some could be repeated.

    Args:
        function: of the part, for the place.
        what: it is, a key of `REMEDIES`.
        device: on which torch computes.
        watched: whether to look at all.

    Raises:
        ContractError: a generator has moved.
    """
    before = GlobalStates(device) if watched else None
    yield
    if before is not None and (moved := before.moved()):
        raise GlobalDraw(named(function), place_of(function), moved, REMEDIES[what])


class GlobalDraw(ContractError):
    """A part drew from global generators, or seeded them.

    Args:
        who: a part, or what was going on.
        place: of the part in its code, if it is known.
        moved: names of the generators.
        remedy: what to do instead.
    """

    def __init__(self, who: str, place: str, moved: Sequence[str], remedy: str) -> None:
        super().__init__(who, place, moved, remedy)  # all of them, so that it can be pickled
        self.who, self.place, self.moved, self.remedy = who, place, tuple(moved), remedy

    def __str__(self) -> str:
        moved = " and ".join(self.moved)
        text = f"{self.who} drew from the global random generator of {moved}, so a trial could "
        return located(f"{text}not be repeated; {self.remedy}", self.place)


def checked_loss(function: Callable[..., Any], returned: Any, state: Mapping[str, Tensor]) -> Loss:
    """What a loss function returned, if it is as it must be.

    Args:
        function: that was called.
        returned: by it.
        state: that the objective had before, whose keys the new one must have.

    Raises:
        ContractError: it is something else.
    """
    if problem := _problem_of_loss(returned, state):
        raise ContractError(located(f"{named(function)} {problem}", place_of(function)))
    loss: Loss = returned
    return loss


def _problem_of_loss(returned: Any, state: Mapping[str, Tensor]) -> str:
    if not isinstance(returned, Loss):
        return f"must return Loss(value, parts, state), got {_kind(returned)}"
    value, parts, new = returned
    if not isinstance(value, Tensor) or value.ndim:
        return f"must return a scalar as value, the mean over the batch, got {_kind(value)}"
    if not isinstance(parts, Mapping):
        return f"must return a mapping of scalars as parts, got {_kind(parts)}"
    for name, part in parts.items():
        if not isinstance(part, Tensor) or part.ndim:
            return f"must return scalar tensors as parts, got {_kind(part)} for '{name}'"
    if not isinstance(new, Mapping):
        return f"must return the next state, a mapping (as a rule batch.state), got {_kind(new)}"
    if new.keys() != state.keys():
        return f"returned the state {sorted(new)} and began with {sorted(state)}"
    return ""


def checked_images(generator: Generator, fake: Any, real: Samples, *, values: bool) -> Samples:
    """What a generator returned, if it is as it must be.

    Args:
        generator: that was called.
        fake: what it returned.
        real: images of the data, of which it makes counterparts.
        values: whether to look at the values as well.

    Raises:
        ContractError: it is something else.
    """
    problem, form = "", tuple(real.images.shape)
    if not isinstance(fake, Samples):
        problem = f"must return Samples, got {_kind(fake)}"
    elif not isinstance(fake.images, Tensor) or tuple(fake.images.shape) != form:
        problem = f"must make images of shape {form}, got {_kind(fake.images)}"
    elif not fake.images.is_floating_point():
        problem = f"must make float images, got {fake.images.dtype}"
    elif values and (outside := _outside(fake.images)):
        problem = f"must make images in [0, 1], got values from {outside}"
    if problem:
        function = type(generator).forward
        raise ContractError(located(f"{named(function)} {problem}", place_of(function)))
    samples: Samples = fake
    return samples


def _outside(images: Tensor) -> str:
    low, high = (float(edge) for edge in images.detach().aminmax())
    return f"{low:.4g} to {high:.4g}" if low < 0 or high > 1 else ""  # NaN is judged elsewhere


def checked_latents(generator: Generator, latents: Any, count: int) -> tuple[Tensor, ...]:
    """What `Generator.latents` returned, if it is as it must be.

    Raises:
        ContractError: it is something else than a tuple of tensors of `count` rows.
    """
    function, problem = type(generator).latents, ""
    if not isinstance(latents, tuple) or not all(isinstance(part, Tensor) for part in latents):
        problem = f"must return a tuple of tensors, got {_kind(latents)}"
    elif any(part.ndim == 0 or len(part) != count for part in latents):
        shapes = ", ".join(str(tuple(part.shape)) for part in latents)
        problem = f"must return {count} rows in every tensor, got shape {shapes}"
    if problem:
        raise ContractError(located(f"{named(function)} {problem}", place_of(function)))
    made: tuple[Tensor, ...] = latents
    return made


def checked_output(
    discriminator: torch.nn.Module,
    output: Any,
    kind: type[DiscriminatorOutput],
    samples: Samples,
    classes: int | None,
) -> DiscriminatorOutput:
    """What a discriminator gave, if it is as it must be.

    Args:
        discriminator: that was asked.
        output: what it gave.
        kind: what the objective requires.
        samples: that it was shown.
        classes: of the data; None for images without labels.

    Raises:
        ContractError: it is something else.
    """
    if problem := _problem_of_output(output, kind, samples, classes):
        function = type(discriminator).forward
        raise ContractError(located(f"{named(function)} {problem}", place_of(function)))
    given: DiscriminatorOutput = output
    return given


def _problem_of_output(
    output: Any, kind: type[DiscriminatorOutput], samples: Samples, classes: int | None
) -> str:
    if not isinstance(output, kind):
        return f"must return {kind.__name__}, got {_kind(output)}"
    count, form = len(samples.images), tuple(samples.images.shape)
    for key, value in vars(output).items():
        if not isinstance(value, Tensor):
            return f"must give a tensor as {key}, got {_kind(value)}"
        if not value.ndim or len(value) != count or not bool(value.isfinite().all()):
            return f"must give a finite row for each of {count} images as {key}, got {_kind(value)}"
    if isinstance(output, Logits) and output.logits.shape != (count,):
        return f"must give one number an image as logits, got {_kind(output.logits)}"
    if isinstance(output, ClassLogits) and output.classes.shape != (count, classes):
        return f"must give one number an image and class as classes, got {_kind(output.classes)}"
    if isinstance(output, Reconstruction):
        for key in ("shown", "images"):
            if tuple(getattr(output, key).shape) != form:
                text = f"must give images of shape {form} as {key}"
                return f"{text}, got {_kind(getattr(output, key))}"
    return ""


def refuse_other_arguments(objective: Objective) -> None:
    """Refuse an objective whose losses take other arguments than they are given.

    Raises:
        ContractError: it is so.
    """
    kind: Any = type(objective)
    if isinstance(objective, Adversarial):
        _refuse_other_arguments(kind.discriminator_loss, "self", "discriminate", "batch")
        _refuse_other_arguments(kind.generator_loss, "self", "generator", "discriminate", "batch")
    else:
        _refuse_other_arguments(kind.generator_loss, "self", "generator", "batch")


def refuse_malformed_objective(objective: Objective) -> None:
    """Refuse an objective that is of no kind, or whose declarations are none.

    Raises:
        ContractError: it is so.
    """
    kind = type(objective)
    if not isinstance(objective, Adversarial | Likelihood):
        text = f"{kind.__name__} must extend Adversarial or Likelihood"
        raise ContractError(located(text, place_of(kind)))
    required = objective.requirements()
    if not isinstance(required, Requirements):
        text = f"{named(kind.requirements)} must return Requirements, got {_kind(required)}"
        raise ContractError(located(text, place_of(kind.requirements)))
    state = objective.initial_state()
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        text = f"{named(kind.initial_state)} must return a mapping of tensors, got {_kind(state)}"
        raise ContractError(located(text, place_of(kind.initial_state)))


def refuse_malformed_players(build: Callable[..., Any], players: Any, needs: Requirements) -> None:
    """Refuse what an architecture built if it is not what the objective requires.

    Args:
        build: the architecture's method.
        players: what it returned.
        needs: what the objective requires.

    Raises:
        ContractError: it is something else.
    """
    problem = ""
    if not isinstance(players, Players):
        problem = f"must return Players(generator, discriminator), got {_kind(players)}"
    elif not isinstance(players.generator, needs.generator):
        problem = f"must build a {needs.generator.__name__}, got {_kind(players.generator)}"
    elif (players.discriminator is None) != (needs.output is None):
        problem = "must build a discriminator if the objective requires an output, and only then"
    elif players.discriminator is not None and not isinstance(
        players.discriminator, torch.nn.Module
    ):
        problem = f"must build a torch module, got {_kind(players.discriminator)}"
    if problem:
        raise ContractError(located(f"{named(build)} {problem}", place_of(build)))


def _refuse_other_arguments(function: Callable[..., Any], *names: str) -> None:
    takes = inspect.signature(function)
    try:
        takes.bind(*names)
    except TypeError:
        wanted, given = (", ".join(some[1:]) for some in (names, list(takes.parameters)))
        text = f"{named(function)} must take ({wanted}), and takes ({given})"
        raise ContractError(located(text, place_of(function))) from None


def named(function: Callable[..., Any]) -> str:
    """What a message calls a function: `Hinge.discriminator_loss`."""
    name = str(getattr(function, "__qualname__", type(function).__name__))
    return name.rpartition("<locals>.")[2]


def _kind(value: Any) -> str:
    """What something is, with its shape if it has one."""
    if isinstance(value, Tensor) and not value.ndim:
        return "a scalar tensor"
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def said(error: BaseException) -> str:
    """What a part did wrong, in a sentence."""
    kinds = (ContractError, AssertionError) if _is_theirs(error) else (ValueError, AssertionError)
    if isinstance(error, kinds) and _of_ours(error):
        return str(error)  # a sentence of the loop's, or of a check
    return described(error)


def _is_theirs(error: BaseException) -> bool:
    """Whether an exception passed through code from outside."""
    return any(is_own(frame) for frame, _ in traceback.walk_tb(error.__traceback__))


def _of_ours(error: BaseException) -> bool:
    """Whether coequal itself raised an exception."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [str(frame.f_globals.get("__name__", "")) for frame in frames[-1:]]
    return names[:1] == [name for name in names if name.partition(".")[0] == "coequal"]
