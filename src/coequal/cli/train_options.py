"""The options of `coequal train`, as a study and as a command line again."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coequal.files import file_name
from coequal.study.one_training import RATE_OPTIONS, OneTraining


@dataclass(frozen=True, kw_only=True)
class TrainRequest(OneTraining):
    """The options of one call of `coequal train`.

    Attributes:
        declared: the command's options as click knows them, by name: their flags and defaults.
        track: trackers and callbacks by name; None for none.
        tensorboard: a folder for TensorBoard; None for no log.
        out: the run's folder; None for runs/MODEL.
        data_dir: where datasets lie or are put; None for the default.
        device: of torch.
    """

    declared: Mapping[str, Any]
    track: Sequence[str] | None
    tensorboard: Path | None
    out: Path | None
    data_dir: Path | None
    device: str

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.out or Path("runs") / self.model

    def with_settings(self, more: Mapping[str, Any]) -> "TrainRequest":
        """This request with more settings, in a folder beside its own; with more steps alone it
        goes on in its own.

        Args:
            more: settings and options by name, as in a remedy.
        """
        own = {name: value for name, value in more.items() if name in self.declared}
        settings = {name: value for name, value in more.items() if name not in self.declared}
        replaced = {RATE_OPTIONS[name]: None for name in settings if name in RATE_OPTIONS}
        changes: dict[str, Any] = {**own, **replaced}
        falls = self.settings.get("learning_rate_decay", "none") != "none"
        if set(more) == {"steps"} and more["steps"] > self.steps and not falls:
            return replace(self, **changes)
        return replace(
            self,
            settings={**self.settings, **settings},
            out=self.folder.with_name("-".join([self.folder.name, *_named(more)])),
            **changes,
        )

    def command(self) -> str:
        """The command line, ready to paste, without options that have their default."""
        return shlex.join(["coequal", "train", self.model, *self._options()])

    def _options(self) -> Iterator[str]:
        for name, option in self.declared.items():
            if name == "settings":
                for setting, value in self.settings.items():
                    yield from (option.opts[0], f"{setting}={_written(value)}")
            elif (value := getattr(self, name, option.default)) != option.default:
                for one in value if isinstance(value, list) else [value]:
                    yield from (option.opts[0], str(one))


def _written(value: Any) -> str:
    """A value in the form that `--set` reads."""
    return value if isinstance(value, str) else json.dumps(value)


def _named(settings: Mapping[str, Any]) -> Iterator[str]:
    """Parts of a folder's name, one per setting; another value gives another name."""
    for name, value in settings.items():
        text = "" if value is True else f"_{_written(value)}"
        yield file_name(f"{name}{text}")
