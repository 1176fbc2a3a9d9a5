"""A trial notices draws from global generators at any time, not only in its first moves."""

from dataclasses import dataclass

import pytest
import torch

from coequal import api
from coequal.objectives.non_saturating import NonSaturating
from coequal.study.spec import Study

import toys

STUDY = {
    "study": "draws",
    "data": ["digits"],
    "models": [{"base": "ns_gan", "name": "mine", "objective": "test_global_draws:LateDraw"}],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 8}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "pixels", "samples": 40},
}


@dataclass(frozen=True)
class LateDraw(NonSaturating):
    """Draws from torch's global generator once the discriminator has moved five times."""

    def initial_state(self):  # type: ignore[no-untyped-def]
        return {"moves": torch.zeros(())}

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        moves = batch.state["moves"] + 1
        loss = super().discriminator_loss(discriminate, batch)
        noise = torch.rand(()) if float(moves) > 5 else 1.0
        return loss._replace(value=loss.value * noise, state={"moves": moves})


class DrawingMetric(toys.Closeness):
    """A metric that draws from torch's global generator."""

    def compute_values(self, *, real, fake, rng):  # type: ignore[no-untyped-def]
        torch.rand(())
        return super().compute_values(real=real, fake=fake, rng=rng)


@pytest.mark.parametrize(
    ("changes", "doing"),
    [
        ({}, "training, up to step"),
        (
            {
                "models": ["ns_gan"],
                "evaluation": {
                    **STUDY["evaluation"],  # type: ignore[dict-item]
                    "metrics": ["fd", "test_global_draws:DrawingMetric"],
                },
            },
            "measuring, up to step 8",
        ),
    ],
)
def test_a_late_draw_fails_the_trial(tmp_path, changes, doing):
    study = Study.model_validate({**STUDY, **changes})
    (result,) = api.run(study, tmp_path, workers=0, try_parts=False).trials.values()
    assert result.status == "failed"
    assert doing in result.reason
    assert (
        "drew from the global random generator of torch, so a trial could not be" in result.reason
    )
