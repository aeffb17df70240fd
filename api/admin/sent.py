"""What was sent to the pages of tokens, in words; see `console.records.sent`."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, QueryDict

from api.models import ApiToken
from api.services.tokens import REVOKES_ALL
from console.records.sent import Sent, Telling, shortened
from console.records.who import person


def _made(_request: HttpRequest, _given: Mapping[str, Any], form: QueryDict) -> Sent:
    return Sent(what="Make an API token", facts=(("Name", shortened(form.get("name", ""))),))


def _revoked(request: HttpRequest, given: Mapping[str, Any], _form: QueryDict) -> Sent:
    user = person(request)
    found = ApiToken.objects.filter(pk=given["pk"]).first()
    is_seen = found is not None and (found.user_id == user.pk or user.has_perm(REVOKES_ALL))
    return Sent(what="Revoke an API token", facts=(("Token", str(found)),) if is_seen else ())


# By the names of the addresses.
TELLINGS: dict[str, Telling] = {"api_tokens": _made, "api_token_revoke": _revoked}
