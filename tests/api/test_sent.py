"""What was sent to the pages of tokens before a login, in words."""

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import RequestFactory
from django.urls import resolve

from console.records.sent import Sent, told
from tests.api.conftest import made
from tests.roles import in_role

pytestmark = pytest.mark.django_db


def said(user: User, address: str, form: str = "") -> Sent:
    request = RequestFactory().get(address)
    request.user, request.resolver_match = user, resolve(address)
    return told(request, QueryDict(form), {})


def test_a_token_to_make_is_told_by_its_name(olivia: User) -> None:
    found = said(olivia, "/tokens/", "name=Nightly&scopes=leases:read")

    assert found == Sent(what="Make an API token", facts=(("Name", "Nightly"),))


def test_a_token_to_revoke_is_named_to_who_may_see_it(olivia: User) -> None:
    nina = in_role("Operator")
    token = made(nina).token
    address = f"/tokens/{token.pk}/revoke/"

    named = Sent(what="Revoke an API token", facts=(("Token", str(token)),))
    assert (said(nina, address), said(in_role("Administrator"), address)) == (named, named)
    assert said(in_role("Viewer"), address).facts == ()
    assert said(olivia, "/tokens/0/revoke/").facts == ()
