"""A loss of your own against the one it is to replace, on digits, in seconds.

The class lives in a module of yours; here it is this very file, found as "my_loss:Hinge".
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from torch.nn.functional import relu

import coequal
from coequal.contract import (
    Adversarial,
    Batch,
    Discriminate,
    Generator,
    Logits,
    Loss,
    Requirements,
)
from coequal.testing import check_objective

STUDY = """\
study: my_loss
question: Is a hinge loss better than the non-saturating one on digits, after 100 steps?
data: [digits]
models:
  - ns_gan
  - name: hinge_gan
    title: Hinge GAN
    objective: "my_loss:Hinge"
    against: ns_gan
    settings: {learning_rate: 2.0e-4, beta1: 0.5, discriminator_per_generator: 1, margin: 1.0}
    wide:
      learning_rate: {log_uniform: [1.0e-5, 1.0e-2]}
      margin: {uniform: [0.1, 2.0]}
architecture: {name: infogan, width: 0.0625}
search: {settings: 1}
reruns: {seeds: 6}
training: {budget: {discriminator_steps: 100}, checkpoints: 2}
evaluation: {encoder: pixels, samples: 300}
"""


@dataclass(frozen=True)
class Hinge(Adversarial[Generator, Logits]):
    """E relu(m - l(x)) + E relu(m + l(g)); the generator minimises -E l(g) (Lim and Ye 2017)."""

    margin: float = 1.0

    def requirements(self) -> Requirements:
        return Requirements(output=Logits)

    def discriminator_loss(self, discriminate: Discriminate[Logits], batch: Batch) -> Loss:
        on_real = relu(self.margin - discriminate(batch.real).logits).mean()
        on_fake = relu(self.margin + discriminate(batch.fake).logits).mean()
        return Loss(on_real + on_fake, {"real": on_real, "fake": on_fake}, batch.state)

    def generator_loss(
        self, generator: Generator, discriminate: Discriminate[Logits], batch: Batch
    ) -> Loss:
        return Loss(-discriminate(batch.fake).logits.mean(), {}, batch.state)


if __name__ == "__main__":
    check_objective(Hinge(margin=0.5))  # in your project: one line of your test suite
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/my_loss")
    out.mkdir(parents=True, exist_ok=True)
    study_file = out / "my_loss.yaml"
    study_file.write_text(STUDY)
    coequal.run(study_file, out=out / "run", workers=0)
    print(coequal.report(out / "run"))
