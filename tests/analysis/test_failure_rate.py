from pathlib import Path

import pytest

from coequal.analysis.failure_rate import failure_rate
from coequal.analysis.summary import summarise
from coequal.reporting.observed_text import failures_sentence
from coequal.statistics.rates import clustered_rate, wilson

from fabricated_run import Run, build, same

FAILED = Run(status="diverged")


def test_the_authors_setting_is_no_draw(tmp_path: Path):
    # Of settings 1 to 3 one fails in both models, one in one of them; vae's setting 0 fails, too.
    runs = {
        "ns_gan": [*same(10, 2), FAILED, FAILED],
        "vae": [FAILED, *same(30, 2), FAILED],
    }
    summary = summarise(build(tmp_path / "run", runs))[0]
    rate = failure_rate(summary.models)
    assert (rate.failed, rate.trials, rate.settings) == (3, 6, 3)
    assert (rate.by_model, rate.authors) == ({"NS GAN": 2, "VAE": 1}, ("VAE",))
    assert rate.interval == clustered_rate([0, 1, 2], [2, 2, 2])
    fact = failures_sentence(summary)
    assert fact.startswith("3 of 6 runs of random settings failed (50 %; 95 %: ")
    assert fact.endswith(
        " over draws of settings): NS GAN 2 and VAE 1. The authors' setting of VAE failed."
    )


def test_settings_count_and_not_runs(tmp_path: Path):
    # Eight models, ten random settings, no failure: what 0 of 10 says, not what 0 of 80 says.
    runs = {f"model{k}": same(10 + k, 11) for k in range(8)}
    summary = summarise(build(tmp_path / "run", runs))[0]
    assert failure_rate(summary.models).interval == pytest.approx(wilson(0, 10))
    assert failures_sentence(summary) == (
        "None of 80 runs of random settings failed (95 %: 0 to 28 %, over draws of settings)."
    )


def test_without_random_settings_there_is_no_rate(tmp_path: Path):
    summary = summarise(build(tmp_path / "run", {"ns_gan": same(10, 1), "vae": [FAILED]}))[0]
    assert failure_rate(summary.models).interval is None
    assert failures_sentence(summary) == "The authors' setting of VAE failed."
