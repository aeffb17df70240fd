"""Many records of one machine at once: made or started together, looked at as one, stopped, and run again."""

from statemachine.batches.membership import (
    batch_of,
    batches_of,
    can_be_run_together,
    items_of,
    machine_of,
    made_with,
    passed_over_by,
)
from statemachine.batches.progress import (
    Condition,
    Progress,
    condition_of,
    failures_of,
    owed_by_batches,
    progress_of,
    standing_at,
    with_condition,
)
from statemachine.batches.starting import AT_ONCE, Plan, make_many, plan_of, reason_of, run_again, run_many, which_of
from statemachine.batches.stopping import Stopped, stop

__all__ = [
    "AT_ONCE",
    "Condition",
    "Plan",
    "Progress",
    "Stopped",
    "batch_of",
    "batches_of",
    "can_be_run_together",
    "condition_of",
    "failures_of",
    "items_of",
    "machine_of",
    "made_with",
    "make_many",
    "owed_by_batches",
    "passed_over_by",
    "plan_of",
    "progress_of",
    "reason_of",
    "run_again",
    "run_many",
    "standing_at",
    "stop",
    "which_of",
    "with_condition",
]
