"""Generators from outside by what people hold: a module, a function, a file, a name of Python's."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from coequal import lookup
from coequal.code_places import described
from coequal.contract import Log
from coequal.generators.drawing import drawn_images
from coequal.generators.files import is_file, open_program, sha256_of
from coequal.generators.latents import FORMS, Given, Prior, latent_prior
from coequal.generators.outside import NetFunction, OutsideGenerator, seeded
from coequal.inputs.input import Scorable
from coequal.inputs.load import SPLITS, Deferred
from coequal.seeds import seed_for
from coequal.value_range import SYMMETRIC, ValueRange

BATCH = 64
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True)
class GeneratorOptions:
    """What a command line says of a generator; None: nothing.

    Attributes:
        latent: the prior of its latents.
        value_range: of its images.
        classes: how many labels it takes.
        batch: of a call.
    """

    latent: str | None = None
    value_range: str | None = None
    classes: int | None = None
    batch: int | None = None


def generator(
    source: nn.Module | Callable[..., Any] | str | Path,
    *,
    latent: Given | None = None,
    value_range: Sequence[float] | str = SYMMETRIC,
    classes: int = 0,
    batch: int = BATCH,
    name: str | None = None,
) -> OutsideGenerator:
    """Make a generator of a torch module, a function or a file: `score(fake=generator(...))`.

    While its images are drawn a module is in evaluation mode and has no gradient; its own modes
    are put back. The images of a seed are the same whatever their number and the batch are, up to
    rounding: latents are drawn here, and the last batch is drawn whole and cut.

    Args:
        source: a torch module on any device, or a function that calls one. It is given the latents,
            and with `classes` labels (n,) int64 as well; it returns images (n, c, h, w) or
            (n, h, w, c), uint8 or floats in `value_range`, or a tuple whose first entry they are.
            Or the name of either in a module, "my_lab.gen:net"; or a file: a program of
            `torch.export` (.pt2), TorchScript, ONNX (extra `onnx`). A file is a program, and runs
            as you: take it from people whom you trust.
        latent: what it is given: 128 or "normal:128" for standard normal latents, "uniform:64" for
            [-1, 1), (4, 8, 8) or "normal:4x8x8" for a shape, or a function that takes a number n
            and a `torch.Generator` and returns a tensor of n rows, or a tuple of tensors. None:
            standard normal, of the shape that the file says.
        value_range: the values of black and white: (-1, 1) of a net that ends with tanh, (0, 1)
            with sigmoid.
        classes: how many classes its labels have, asked for in turn; 0: it takes no labels.
        batch: how many images it is asked for at a time; a file that takes one number of rows alone
            is asked for that number.
        name: for messages and the record; None: that of the class, function or file.

    Raises:
        ValueError: an argument is something else than that, or the file can't be taken.
        FileNotFoundError, LookupError: there is no such file or name.
    """
    for what, value, least in (("batch", batch, 1), ("classes", classes, 0)):
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{what} must be a whole number from {least}, got {value!r}")
    pixels = ValueRange.of(value_range)
    name = name or (str(source) if isinstance(source, str | Path) else _name_of(source))
    program, sha256, movable = None, None, isinstance(source, str | Path)
    if isinstance(source, str | Path):
        if is_file(str(source)):
            path = Path(source).expanduser()
            program, sha256 = open_program(path, name), sha256_of(path)
        else:
            source = lookup.external(str(source))
    net: Any = source if program is None else program.net
    refuse_unusable(net, name)
    if latent is None and program is not None:
        prior: Prior = program.latent(name)
    else:
        if latent is None:
            raise ValueError(
                f"{name}: give its latent distribution, as --latent normal:128, in "
                f"Python latent={FORMS}"
            )
        prior = latent_prior(latent)
    if program is not None:
        program.refuse_mismatch(name, prior, classes)
    return OutsideGenerator(
        net,
        prior,
        name=name,
        value_range=pixels,
        batch=batch if program is None or program.batch is None else program.batch,
        classes=classes,
        sha256=sha256,
        differentiable=program is None or program.differentiable,
        movable=movable,
    )


def refuse_unusable(source: Any, name: str) -> None:
    """Refuse what is neither a torch module nor a function of latents.

    Raises:
        ValueError: it is a class, something that can't be called, or a generator made already.
    """
    if isinstance(source, OutsideGenerator):
        raise ValueError(
            f"{name} was made by coequal.generator, which says its latents, values, classes and "
            "batch; leave out the options"
        )
    if isinstance(source, type):
        raise ValueError(f"{name} is a class; give an instance of it with its trained weights")
    if not callable(source):
        raise ValueError(f"{name} is neither a torch module nor a function of latents")


def is_outside(given: str) -> bool:
    """Whether a text names a generator: a file of one, or something in a module, "my_lab.gen:make",
    that is no split of a dataset."""
    before, _, after = given.partition(":")
    known = after in SPLITS or before in lookup.names("datasets")
    return is_file(given) or (_NAME.fullmatch(given) is not None and not known)


def with_options(given: str, options: GeneratorOptions) -> Scorable:
    """What a command line names, with what it says of a generator.

    Args:
        given: a generator, "my_lab.gen:make" or "g.pt2".
        options: some of them.

    Raises:
        ValueError, LookupError, FileNotFoundError: this is no generator, or one that has these
            already.
    """
    if not is_outside(given):
        raise ValueError(
            f"{given} is not a generator (my_lab.gen:make, g.pt2, g.onnx); --latent, "
            "--value-range, --classes and --batch apply to generators only"
        )
    source: Any = given if is_file(given) else lookup.external(given)
    if options.latent is None and _is_function(source):
        if options.classes is not None or options.batch is not None:
            raise ValueError(
                f"{given}: without --latent it is a function of a number, which is called once; "
                "--classes and --batch are of functions of latents"
            )
        return ImageFunction(source, given, ValueRange.of(options.value_range or (0, 1)))
    return generator(
        given,
        latent=options.latent,
        value_range=options.value_range or SYMMETRIC,
        classes=options.classes or 0,
        batch=options.batch or BATCH,
        name=given,
    )


def _is_function(source: Any) -> bool:
    return callable(source) and not isinstance(source, nn.Module | type)


@dataclass(frozen=True)
class ImageFunction:
    """A function of the user's that takes a number and returns so many images.

    Attributes:
        function: it.
        name: what the user calls it.
        value_range: the values of black and white, of floats; None: [0, 1].
    """

    function: Callable[[int], Any]
    name: str
    value_range: ValueRange | None = None

    def __call__(self, count: int, seed: int) -> Scorable:
        """The images.

        Args:
            count: how many.
            seed: of the global generators, from which the function may draw.

        Raises:
            ValueError: it failed, or returned nothing, a path, or a function.
        """
        with seeded(seed_for("generator", "own draws", seed), torch.device("cpu")), torch.no_grad():
            try:
                images = NetFunction(self.function)(count)
            except Exception as error:
                raise ValueError(
                    f"{self.name} failed for {count} images: {described(error)}"
                ) from error
        if images is None or isinstance(images, str | Path) or callable(images):
            kind = type(images).__name__
            raise ValueError(f"the call returned a {kind}; it must return {count} images")
        return self._mapped(images)

    def _mapped(self, images: Any) -> Scorable:
        if self.value_range is None:
            return images
        if (
            isinstance(images, tuple)
            and len(images) == 2
            and isinstance(images[0], Tensor | np.ndarray)
        ):
            return self._mapped(images[0]), images[1]
        if isinstance(images, np.ndarray):
            images = torch.from_numpy(images)
        if not isinstance(images, Tensor) or not images.is_floating_point():
            raise ValueError(f"--value-range applies to floats, and {self.name} returned no floats")
        return self.value_range.to_unit(images)


def deferred(
    source: Any,
    count: int,
    seed: int,
    log: Log,
    device: torch.device,
    name: str | None = None,
) -> Deferred | None:
    """What draws the images of a generator or a function when they are needed.

    Args:
        source: what Python holds.
        count: number of images.
        seed: of all that is drawn.
        log: is told how far it is.
        device: that what was found by its name is moved to; a module that Python gave stays where
            it is.
        name: what the user calls it; None: by its kind.

    Returns:
        None if it is neither a generator nor a function.

    Raises:
        ValueError: it is a torch module, of which nothing says what it is given.
    """
    if isinstance(source, OutsideGenerator):
        if source.movable or name is not None:
            source.move_to(device)
        return Deferred(lambda form: drawn_images(source, count, seed, form, log), count)
    if isinstance(source, nn.Module | type):
        generator(source, name=name)  # which says that its latents are missing
    if isinstance(source, ImageFunction):
        return Deferred(lambda form: source(count, seed), count)
    if not callable(source):
        return None
    return deferred(ImageFunction(source, name or _name_of(source)), count, seed, log, device)


def _name_of(source: Any) -> str:
    return str(getattr(source, "__name__", type(source).__name__))
