"""An interface for programs of the tests' own, in the frame of the product's: it makes kettles."""

from collections.abc import Callable
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import Body, NinjaAPI, Router, Status
from pydantic import BaseModel

from api import idempotency
from api.etags import etag_of
from api.frame import OnlyJson, interface
from api.sessions import Session
from core.urls import handler400, handler403, handler404, handler500
from core.urls import urlpatterns as product
from tests.toy.models import Kettle

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

ADDRESS = "/api/test/pots/"
# What happens on the way of a request; a test says what. “begun”: nothing is committed; “made”: a kettle is.
steps: dict[str, Callable[[], Any]] = {}

router = Router()


class Wish(BaseModel):
    label: str = "Copper"
    text: str = ""


class Pot(BaseModel):
    id: int
    label: str
    text: str


def _step(name: str) -> None:
    steps.get(name, lambda: None)()


@router.post("/pots/", response={201: Pot}, url_name="pots")
def make(
    request: HttpRequest,
    response: HttpResponse,
    wish: Annotated[Wish, Body()] = Wish(),  # noqa: B008
    x: int = 0,
) -> Any:
    _step("begun")
    with transaction.atomic():
        kettle = Kettle.objects.create(label=wish.label, due_at=None)
        _step("saved")
    _step("made")
    response["Location"] = f"{ADDRESS}{kettle.pk}/"
    response["ETag"] = etag_of(kettle)
    return Status(201, Pot(id=kettle.pk, label=kettle.label, text=wish.text))


@router.put("/pots/", url_name="upload")
def upload(request: HttpRequest) -> dict[str, int]:
    size = len(request.read())
    Kettle.objects.create(label="uploaded", litres=size, due_at=None)
    return {"size": size}


@router.get("/pots/", response=list[Pot], url_name="all_pots")
def shown(request: HttpRequest, search: str = "") -> list[Pot]:
    return [Pot(id=each.pk, label=each.label, text=search) for each in Kettle.objects.order_by("pk")]


@router.get("/lid/", url_name="lid")
def lid(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a lid" * 1_000, content_type="text/plain")


pots = NinjaAPI(urls_namespace="pots", auth=[Session()], parser=OnlyJson(), docs_url=None, openapi_url=None)
pots._exception_handlers = interface._exception_handlers
for decorator, mode in interface.default_router._decorators:
    pots.add_decorator(decorator, mode=mode)
pots.add_router("", router)
urlpatterns = [path("api/test/", pots.urls), *product]
assert (idempotency.once, "operation") in interface.default_router._decorators
