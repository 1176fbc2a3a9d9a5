"""What a study that was changed in its folder keeps, and what it leaves out."""

from collections import Counter

from coequal.formatting import count
from coequal.results.folder import RunFolder
from coequal.results.run_results import RunResults
from coequal.results.versions import PlannedTrials, note_left_out


def note_growth(folder: RunFolder, results: RunResults) -> list[str]:
    """Note which results are no part of a version that begins; they stay in the folder.

    Args:
        folder: of the run, with the plan of the version.
        results: all that lie in it.

    Returns:
        What is said of it: a line for what it changes, one for what was judged before it, and one
        for each reason why results are left out. Nothing if no version begins.
    """
    version = next(reversed(folder.versions()), None)
    if version is None or version.left_out is not None:
        return []
    plan, planned = PlannedTrials(folder.iterate_plan()), folder.planned()
    left_out = Counter(plan.why_not(results[key].trial) for key in results if key not in planned)
    note_left_out(folder.path, left_out)
    lines = [f"version {version.number} of this study: {'; '.join(version.changes)}"]
    if version.looks:
        settings = ", ".join(str(at) for at, _ in version.looks)
        lines.append(f"the looks taken before it, at {settings} settings, keep what they spent")
    lines += [
        f"no part of it, kept in the folder: {count(each, 'result')} ({reason})"
        for reason, each in left_out.most_common()
    ]
    return lines
