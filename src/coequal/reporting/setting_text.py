"""How a setting, its result and its ranges are written."""

from coequal.analysis.model import ModelSummary
from coequal.analysis.range_position import RangePosition
from coequal.analysis.trials import TrialSummary
from coequal.formatting import NONE, number, plain
from coequal.ranges import Choice, LogUniform


def setting_name(setting: TrialSummary) -> str:
    """ "setting 3", or that it is the authors'."""
    return setting_text(setting.number)


def setting_text(setting: int) -> str:
    """A setting in words, by its number."""
    return "the authors' setting" if setting == 0 else f"setting {setting}"


def setting_of(title: str, setting: int) -> str:
    """A model's setting, by the model's title and the setting's number: "WGAN's setting 9"."""
    return f"{title} with its authors' setting" if setting == 0 else f"{title}'s setting {setting}"


def range_text(place: RangePosition) -> str:
    """The declared range in short."""
    space = place.range
    if space is None:
        return "fixed"
    if isinstance(space, Choice):
        return "one of " + ", ".join(plain(value) for value in space.values)
    scale = "log, " if isinstance(space, LogUniform) else ""
    return f"{scale}{plain(space.low)} to {plain(space.high)}"


def score_text(model: ModelSummary) -> str:
    """The test value of a model's chosen setting, rounded by its error; a dash without one."""
    return number(model.chosen.test, model.score_error()) if model.chosen else NONE


def authors_outcome(model: ModelSummary) -> str:
    """The test value of the authors' setting, or why there is none."""
    setting = model.authors
    if setting is None:
        return NONE
    if setting.status != "done":
        return setting.status
    return number(setting.test, model.score_error(setting))
