"""Training health: the signals of a run, the rules that fire, and what to try.

No torch: a finished run is judged again from its file, by the same rules as while it trained.
"""

from coequal.health.judge import judge
from coequal.health.verdict import EARLY, FAILURES, HEALTHY, VERDICTS, Health

__all__ = ["EARLY", "FAILURES", "HEALTHY", "VERDICTS", "Health", "judge"]
