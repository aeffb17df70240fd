"""Links that leave the console."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cloud.models import CloudLocation

NO_LINK = "No share link is stored."
GONE = "No longer in Dropbox: moved, renamed or deleted."


def dropbox_link(location: CloudLocation) -> SafeString | str:
    """The link to the directory in Dropbox, by way of a look whether it still leads there, or why there is none."""
    if location.is_gone:
        return GONE
    if not location.share_url:
        return location.share_refusal or NO_LINK
    if not location.share_url.startswith(("https://", "http://")):
        return "The stored share link is not a web address, so it is not offered here."
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer">Open in Dropbox'
        '<span class="visually-hidden">: {} (opens in a new tab)</span></a>',
        reverse("open_archive", args=[location.pk]),
        location.name,
    )
