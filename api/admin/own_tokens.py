"""What every page of the console says about one's own tokens."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def link(_request: HttpRequest) -> SafeString:
    """The way to them."""
    return format_html('<a href="{}">Your API tokens</a>', reverse("api_tokens"))
