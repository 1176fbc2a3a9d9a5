"""Objectives differ from each other, and with every setting; each names its paper."""

from dataclasses import fields

import pytest
import torch

from coequal.contract import Objective

from toys import ALL, trainer

CHANGED = {
    "penalised": "probability",
    "noise": "normal",
    "margin": 1e-4,  # counts only for images beyond it, which six steps don't bring beyond a half
    "one_sided_smoothing": 0.1,  # 0 is off
}
"""Other values of settings that half of the default would not change."""


@pytest.mark.parametrize("name", ALL)
def test_every_setting_changes_something(name):
    for field in fields(ALL[name]):
        changed = CHANGED.get(field.name) or getattr(ALL[name](), field.name) / 2
        one, other = trainer(ALL[name]()), trainer(ALL[name](**{field.name: changed}))
        for each in (one, other):
            each.train_until(6)
        same = [
            torch.equal(a, b)
            for net, twin in zip(one.nets().values(), other.nets().values(), strict=True)
            for a, b in zip(net.parameters(), twin.parameters(), strict=True)
        ]
        assert not all(same), field.name


def test_every_two_objectives_differ():
    seen = {}
    for name in ALL:
        one = trainer(ALL[name]())
        one.train_until(3)
        seen[name] = torch.cat([p.flatten() for p in one.generator.parameters()])
    for a in seen:
        for b in seen:
            if a < b and seen[a].shape == seen[b].shape:
                assert not torch.equal(seen[a], seen[b]), (a, b)


@pytest.mark.parametrize("name", ALL)
def test_is_documented(name):
    kind: type[Objective] = ALL[name]
    assert "arXiv" in __import__(kind.__module__, fromlist=["x"]).__doc__
    assert kind.__doc__
