"""`manage.py check` says at the start what a job would else find out too late."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from cloud.dropbox.connection import check_base_url
from statemachine.checks import WORK


@register(WORK)
def base_url_is_safe(_app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """Tokens travel to wherever this setting leads."""
    try:
        if settings.DROPBOX_BASE_URL:
            check_base_url(settings.DROPBOX_BASE_URL)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="cloud.E001")]
    return []
