"""Compiled nets, recorded moves and TF32: asked for in a study, refused where they can't be had,
and without a change in what is trained."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from coequal.contract import Dataset, Loss
from coequal.devices import full_products, precision_on
from coequal.monitoring.monitor import Monitor
from coequal.monitoring.reference import RealReference
from coequal.objectives.non_saturating import NonSaturating
from coequal.runner.start import refuse_training_options
from coequal.study.plan import plan
from coequal.study.spec import Study
from coequal.training import checkpoint, compiling
from coequal.training.cuda_graphs import WARM_UP, MoveGraphs, Outcome
from coequal.training.loop import Diverged, Trainer
from coequal.training.settings import Training
from coequal.training.tricks import Tricks

from toys import ALL, TRICKS, AcGan, Exploding, LazyR1, split, trainer

DATA = Dataset("toy", *(split(count) for count in (96, 70, 70)), ("0", "1"))


class OnTheCpu:
    """A recording that calls the function at each replay. As those of a GPU, it writes its results
    to the same places every time, and does nothing when it is made."""

    made = 0

    def __init__(
        self, function: Callable[[], Outcome], generators: Sequence[torch.Generator]
    ) -> None:
        self.function, self.outcome = function, None
        OnTheCpu.made += 1

    def replay(self) -> Outcome:
        new = self.function()
        if self.outcome is None:
            own = [None if g is None else g.clone() for g in new.gradients]
            self.outcome = Outcome(new.computed, own)
        with torch.no_grad():
            for place, value in zip(self.outcome.tensors(), new.tensors(), strict=True):
                place.copy_(value)
        return self.outcome


def watched(one: Trainer) -> Trainer:
    one.monitor = Monitor(RealReference(DATA, None), 3, one.generator)
    one.read_every = 10
    return one


def everything(one: Trainer) -> dict[str, Any]:
    tensors = {key: value.numpy().tobytes() for key, value in checkpoint.tensors(one).items()}
    return tensors | {"spent": replace(one.spent, seconds=0)}


OBJECTIVES = [*(kind() for kind in ALL.values()), LazyR1(), AcGan()]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
def test_recorded_moves_train_as_others(objective):
    steps = 12 if type(objective).__name__ == "MaximumLikelihood" else 40
    plain, recorded = (watched(trainer(objective, steps=steps)) for _ in range(2))
    recorded._graphs = MoveGraphs([], OnTheCpu)
    before = OnTheCpu.made
    for one in (plain, recorded):
        one.train_until(steps)
    assert OnTheCpu.made > before
    assert everything(plain) == everything(recorded)


@pytest.mark.parametrize("trick", TRICKS)
def test_recorded_moves_with_tricks(trick):
    plain, recorded = (
        watched(trainer(NonSaturating(), steps=40, ratio=2, tricks=Tricks(**TRICKS[trick])))
        for _ in range(2)
    )
    recorded._graphs = MoveGraphs([], OnTheCpu)
    before = OnTheCpu.made
    for one in (plain, recorded):
        one.active_tricks.ada_probability.fill_(0.5)
        one.train_until(40)
    differ = trick in ("label_flips", "noise that falls")  # their moves differ from step to step
    assert (OnTheCpu.made == before) == differ
    assert everything(plain) == everything(recorded)


def test_recorded_moves_end_at_the_step_that_diverges():
    said = []
    for graphs in (None, MoveGraphs([], OnTheCpu)):
        one = watched(trainer(_Late(), steps=40))
        one._graphs = graphs
        with pytest.raises(Diverged) as error:
            one.train_until(40)
        said.append((str(error.value), everything(one)))
    assert said[0][0] == "the discriminator's loss was -inf at step 9"
    assert said[0] == said[1]


class _Late(Exploding):
    """Its loss is infinite from the ninth step on."""

    def discriminator_loss(self, discriminate, batch):  # type: ignore[no-untyped-def]
        steps = batch.state["steps"] + 1
        value = discriminate(batch.real).logits.mean() / (steps < 9).float()
        return Loss(-value.abs(), {}, {"steps": steps})


def test_a_move_that_can_t_be_recorded_is_refused_in_a_sentence():
    def refusing(function: Any, generators: Any) -> Any:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    one = watched(trainer(NonSaturating(), steps=40))
    one._graphs = MoveGraphs([], refusing)
    with pytest.raises(ValueError, match=r"cuda_graphs: a move of the discriminator can't .*false"):
        one.train_until(40)
    assert one.steps_done >= WARM_UP


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch's own, within its compiler
@pytest.mark.parametrize("name", ["non_saturating", "wgan_gp", "vae"])
def test_compiled_nets_train_as_others(name, monkeypatch):
    """Without code generation, so that the very same kernels run."""
    monkeypatch.setattr(compiling, "BACKEND", "eager")
    monkeypatch.setenv("COEQUAL_KERNELS", "torch")  # the CPU's own kernels can't be compiled
    training = Training(12, 8, ema=0.9)
    plain, compiled = trainer(ALL[name](), steps=12), trainer(ALL[name](), steps=12)
    compiled = Trainer(
        compiled.objective,
        _players(compiled),
        compiled.batches,
        compiled.optimisation,
        replace(training, compile=True),
        7,
    )
    ran = _count_calls(compiled)
    for one in (plain, compiled):
        one.train_until(12)
    assert everything(plain) == everything(compiled)
    assert ran["generator"] > 0
    # The gradient of a gradient can't be compiled.
    assert (ran.get("discriminator", 0) > 0) == (name == "non_saturating")
    assert "forward" not in vars(compiled.generator)  # outside of a step they are as ever


def _players(one: Trainer) -> Any:
    from coequal.contract import Players

    return Players(one.generator, one.discriminator)


def _count_calls(one: Trainer) -> dict[str, int]:
    """How often a compiled method of each player runs."""
    calls: dict[str, int] = {}
    assert one._compiled is not None
    players = {id(net): player for player, net in one.nets().items()}

    def counted(net: Any, compiled: Any) -> Any:
        def run(*arguments: Any) -> Any:
            calls[players[id(net)]] = calls.get(players[id(net)], 0) + 1
            return compiled(*arguments)

        return run

    one._compiled._compiled = [
        (net, name, counted(net, compiled)) for net, name, compiled in one._compiled._compiled
    ]
    return calls


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch's own, within its compiler
def test_code_is_generated_for_the_cpu():
    """With torch's own compiler: a minute where nothing is cached."""
    compiling.refuse_uncompilable("cpu")
    plain, compiled = (trainer(NonSaturating(), steps=8, ema=None) for _ in range(2))
    nets = compiled.nets()
    compiled._compiled = compiling.CompiledNets(nets, differentiated_twice=False)
    for one in (plain, compiled):
        one.train_until(4)
    ours, theirs = plain.curves.arrays(), compiled.curves.arrays()
    for name, curve in ours.items():
        assert theirs[name] == pytest.approx(curve, rel=1e-4), name


def test_what_can_t_be_compiled_is_refused_in_a_sentence(monkeypatch):
    def failing(*_: Any, **__: Any) -> Any:
        raise RuntimeError("\nno compiler found\nand much more")

    monkeypatch.setattr(torch, "compile", failing)
    with pytest.raises(ValueError, match=r"compile.*RuntimeError: no compiler found\); what would"):
        Training(10, compile=True).refuse_elsewhere("cpu")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"precision": "tf32"}, r"precision: tf32 is of NVIDIA GPUs.* on cpu; what would do: .*"),
        ({"cuda_graphs": True}, r"cuda_graphs: true is of NVIDIA GPUs.* on cpu; what would do: "),
    ],
)
def test_what_a_device_lacks_is_refused_before_work(asked, message):
    study = Study.model_validate({"study": "x", "models": ["ns_gan"], "training": asked})
    with pytest.raises(ValueError, match=message):
        refuse_training_options(study, "cpu", forced=False)


def test_a_trial_says_what_was_asked_for_and_nothing_else():
    def training(**asked: Any) -> dict[str, Any]:
        study = {"study": "x", "models": ["ns_gan"], "training": asked}
        return dict(plan(Study.model_validate(study))[0].training)

    plain = training()
    assert training(compile=False, cuda_graphs=False) == plain
    assert not {"compile", "cuda_graphs"} & plain.keys()
    asked = training(compile=True, cuda_graphs=True, precision="tf32")
    assert asked == plain | {"compile": True, "cuda_graphs": True, "precision": "tf32"}
    assert Training.of(asked).compile
    assert Training.of(asked).cuda_graphs


def test_tf32_is_on_in_steps_alone(monkeypatch):
    """On a machine that pretends to have a GPU: torch's switches are there on every machine."""
    monkeypatch.setattr("coequal.devices.chosen", lambda device: "cuda")
    gpu = torch.device("cuda")
    before = precision_on(gpu)
    one = trainer(NonSaturating(), steps=4)
    one.training = replace(one.training, precision="tf32")
    seen: list[str] = []
    step = one._step
    monkeypatch.setattr(one, "_step", lambda: (seen.append(precision_on(gpu)), step()))
    with full_products():  # as in a worker
        one.train_until(4)
        assert seen == ["tf32"] * 4
        assert precision_on(gpu) == "float32"
    assert precision_on(gpu) == before
