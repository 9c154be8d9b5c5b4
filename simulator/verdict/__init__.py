"""What a journal proves: a pure function of a scenario and the entries of one run.

`judge` reads a whole journal; `judge_step` is what the runner asks to know whether to go on; `settle` holds many
verdicts against the ledger of expected failures and gives the exit code.
"""

from simulator.verdict.judge import judge
from simulator.verdict.outcome import Outcome, StepVerdict, Verdict, worst_of
from simulator.verdict.settlement import Settlement, settle
from simulator.verdict.step import does_not_apply, judge_step, stream_is_over

__all__ = [
    "Outcome",
    "Settlement",
    "StepVerdict",
    "Verdict",
    "does_not_apply",
    "judge",
    "judge_step",
    "settle",
    "stream_is_over",
    "worst_of",
]
