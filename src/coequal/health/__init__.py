"""Training health: what was seen of a run, which rules fire, and what would do.

No torch: a finished run is judged again from its file, by the same rules as while it trained.
"""

from coequal.health.judge import judge
from coequal.health.verdict import EARLY, FAILURES, HEALTHY, VERDICTS, Health

__all__ = ["EARLY", "FAILURES", "HEALTHY", "VERDICTS", "Health", "judge"]
