"""How it stands with a token, as every page of the console shows it."""

from datetime import datetime

from django.utils.safestring import SafeString

from api.models import ApiToken
from console.machine.badges import mark


def standing(token: ApiToken, *, at: datetime) -> SafeString:
    """In one word."""
    if token.revoked_at:
        return mark("bad", "Revoked")
    if token.expires_at <= at:
        return mark("note", "Expired")
    return mark("good", "Works") if token.user.is_active else mark("note", "Person not active")
