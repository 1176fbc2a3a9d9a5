"""A loss of your own, for the study beside it, `coequal run examples/my_loss.yaml`.

Run as a script, this file checks that the loss keeps the contract.
"""

from dataclasses import dataclass

from torch.nn.functional import relu

from coequal.contract import Adversarial, Generator, Logits, Loss, Requirements


@dataclass(frozen=True)
class Hinge(Adversarial[Generator, Logits]):
    """E relu(m - l(x)) + E relu(m + l(g)); the generator minimises -E l(g) (Lim and Ye 2017)."""

    margin: float = 1.0

    def requirements(self):
        return Requirements(output=Logits)

    def discriminator_loss(self, discriminate, batch):
        on_real = relu(self.margin - discriminate(batch.real).logits).mean()
        on_fake = relu(self.margin + discriminate(batch.fake).logits).mean()
        return Loss(on_real + on_fake, {"real": on_real, "fake": on_fake}, batch.state)

    def generator_loss(self, generator, discriminate, batch):
        return Loss(-discriminate(batch.fake).logits.mean(), {}, batch.state)


if __name__ == "__main__":
    from coequal.testing import check_objective

    check_objective(Hinge(margin=0.5))
    print("Hinge keeps the contract")
