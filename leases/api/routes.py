"""One lease, for programs: read, made, changed, run, stopped, and what has happened to it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router, Status
from pydantic import BaseModel, Field

from api import etags
from api.paging import Page, Paged, page
from console.machine.buttons import Button, press
from leases import services
from leases.api.asking import SEE, SHOWN_WITH, as_seen, asking, here, there, version_of
from leases.api.contents import contents
from leases.api.filters import Listed
from leases.api.many import add_many, run_many
from leases.api.shapes import AnAgency, Happened, LeaseAnswer, LeaseItem, Said
from leases.buttons import DETECT, DISCOVER, MAKE, SEARCH, STOP
from leases.duplicates import doubts_about
from leases.models import Lease
from statemachine.models import TransitionLog

router = Router()
router.post("/bulk/", **add_many.declared)(add_many)
