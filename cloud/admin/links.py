"""Links that leave the console."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cloud.models import CloudLocation

NO_ADDRESS = "The stored share link is not a web address, so it is not offered here."
MADE_WHEN_OPENED = "The link is made when it is opened."
GONE = "No longer in Dropbox: moved, renamed or deleted."


def dropbox_link(location: CloudLocation) -> SafeString | str:
    """The link to the directory in Dropbox, by way of a look whether it still leads there, or why there is none."""
    if location.is_gone:
        return GONE
    if location.share_refusal:
        return location.share_refusal
    if location.share_url and not location.share_url.startswith(("https://", "http://")):
        return NO_ADDRESS
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer"{}>Open in Dropbox'
        '<span class="visually-hidden">: {} (opens in a new tab)</span></a>',
        reverse("open_archive", args=[location.pk]),
        format_html(' title="{}"', MADE_WHEN_OPENED) if location.awaits_link else "",
        location.name,
    )
