"""What the list of leases can be narrowed to."""

from django.contrib import admin

from console.batches.filters import BatchFilter
from console.machine.filters import BY_LAST_CHANGE, BY_STATE, FailureFilter, PersonFilter
from console.records.filters import called

FILTERS = (
    BY_STATE,
    "agency",
    ("runsheet_report_found", called("report", admin.BooleanFieldListFilter)),
    FailureFilter,
    PersonFilter,
    BatchFilter,
    ("created_at", called("created", admin.DateFieldListFilter)),
    BY_LAST_CHANGE,
)
