"""Agencies and where their archives lie, for programs: to read only."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel

from api import etags
from api.paging import Page
from leases.api.asking import asking
from leases.models import SUBFOLDERS, Agency, AgencyStorageConfig

router = Router()

SEE = "leases.view_agencystorageconfig"


class ConfigurationAnswer(BaseModel):
    """Where an agency's archives lie in Dropbox.

    Attributes:
        enabled: switched off, every run for the agency fails and says so.
        makes_archives: whether an archive that is missing is made by itself.
        watched: whether what lies in the folders is kept in mind.
        poll_minutes: how often Dropbox is asked what has changed.
    """

    enabled: bool
    makes_archives: bool
    runsheet_archive_base_path: str
    documents_base_path: str
    misc_index_base_path: str
    watched: bool
    poll_minutes: int
    updated_at: datetime


class AgencyAnswer(BaseModel):
    """An agency.

    Attributes:
        subfolders: what an archive of it that is made has in it.
        configuration: null: nobody has said where its archives lie, so that its leases fail.
    """

    code: Agency
    name: str
    subfolders: list[str]
    configuration: ConfigurationAnswer | None

    @classmethod
    def of(cls, agency: Agency, saved: AgencyStorageConfig | None) -> "AgencyAnswer":
        names = ConfigurationAnswer.model_fields
        configuration = ConfigurationAnswer(**{name: getattr(saved, name) for name in names}) if saved else None
        return cls(
            code=agency,
            name=agency.label,
            subfolders=list(SUBFOLDERS[agency]),
            configuration=configuration,
        )


@router.get("/", response=Page[AgencyAnswer], url_name="agencies")
def agencies(request: HttpRequest) -> Page[AgencyAnswer]:
    """All agencies, on one page.

    Raises:
        TransitionForbidden: the person may not see them.
    """
    asking(request, SEE)
    saved = {each.agency: each for each in AgencyStorageConfig.objects.all()}
    return Page[AgencyAnswer](items=[AgencyAnswer.of(each, saved.get(each)) for each in Agency], total=len(Agency))


@router.get("/{slug:code}/", response=AgencyAnswer, url_name="agency")
def agency(request: HttpRequest, response: HttpResponse, code: str) -> AgencyAnswer:
    """One agency, by its code.

    Raises:
        TransitionForbidden: the person may not see it.
        Http404: there is none with this code.
        NotModified: who asks has it already.
    """
    asking(request, SEE)
    if code not in Agency.values:
        raise Http404
    saved = AgencyStorageConfig.objects.filter(agency=code).first()
    if saved:
        etags.told(request, response, etags.etag_of(saved))
    return AgencyAnswer.of(Agency(code), saved)
