"""Leases, their batches and their agencies, for programs: by the services that the console calls, and no rule of its own."""

from leases.api.agencies import router as agencies
from leases.api.batches import router as batches
from leases.api.contents import router as contents
from leases.api.deleting import router as deleting
from leases.api.importing import STREAMED
from leases.api.importing import router as importing
from leases.api.many import router as many
from leases.api.routes import router as leases

__all__ = ["STREAMED", "agencies", "batches", "contents", "deleting", "importing", "leases", "many"]
