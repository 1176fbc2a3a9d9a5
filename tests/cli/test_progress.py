"""Progress where the output is no terminal: few lines, each with something new."""

from dataclasses import replace

from coequal import pace
from coequal.cli.progress import PlainObserver
from coequal.pace import Lines
from coequal.runner.progress import Progress

BEGUN = Progress(4, {}, {"vae 0": 0.0, "gan 0": 0.0}, "", None, {}, None)


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_are_the_first_the_last_and_what_changed_every_half_minute():
    said: list[tuple[float, str]] = []
    clock = Clock()
    lines = Lines(lambda line: said.append((clock.now, line)), clock)
    for second in range(100):
        clock.now = second
        lines.tell(f"{second // 20} done, {100 - second} s left", second // 20)
    lines.tell("4 done, nothing left", 4, last=True)  # has been told
    lines.tell("5 done", 5, last=True)
    # 0 done at 0 s; at 30 s there is 1 done, at 60 s 3, at 90 s 4.
    assert [time for time, _ in said] == [0, 30, 60, 90, 99]
    assert [line.split(",")[0] for _, line in said] == [f"{n} done" for n in (0, 1, 3, 4, 5)]
    assert pace.EVERY_SECONDS == 30


def test_a_run_that_stands_still_says_nothing_and_the_end_is_told_once():
    said: list[str] = []
    clock = Clock()
    observer = PlainObserver(said.append, clock)
    for clock.now in range(0, 300, 5):
        left = 600.0 - clock.now  # the estimate alone changes
        observer.update(replace(BEGUN, seconds_left=left, per_hour=24.0))
    assert said == [
        "0 of 4 trials done, 24 an hour, about 10 min left; 2 running, at 0 % of their budget"
    ]
    observer.update(replace(BEGUN, statuses={"done": 3, "failed": 1}, running={}))
    assert said[1:] == ["4 of 4 trials done, 1 failed"]
    clock.now += 1
    observer.update(replace(BEGUN, statuses={"done": 4}, running={}, total=5, per_hour=None))
    assert len(said) == 2  # half a minute has not passed
    observer.close()
    observer.close()
    assert said[2:] == ["4 of 5 trials done, estimating the time left"]


def test_each_activity_and_all_news_are_said_once_and_at_once():
    said: list[str] = []
    observer = PlainObserver(said.append, Clock())
    for _ in range(3):
        observer.update(replace(BEGUN, text="reading digits"))
    observer.update(replace(BEGUN, text="", news=("vae 0 failed: no memory",)))
    observer.update(replace(BEGUN, text="stopping: saving checkpoints of running trials"))
    assert said == [
        "reading digits",
        "vae 0 failed: no memory",
        "0 of 4 trials done, estimating the time left; 2 running, at 0 % of their budget",
        "stopping: saving checkpoints of running trials",
    ]
