"""The page behind “Open in Dropbox”."""

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cloud.dependants import Opening, dependants, one_of_each
from cloud.models import CloudLocation

NO_ADDRESS = "The stored share link is not a web address, so it is not followed. Run the {one} again."
NO_LINK = "No share link is stored for this archive."


@never_cache
@require_GET
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the archive in Dropbox, or explain why not.

    Raises:
        PermissionDenied, Http404: nothing was asked.
    """
    assert isinstance(request.user, User)
    if not any(each.may_be_seen_by(request.user) for each in dependants()):
        raise PermissionDenied
    location = get_object_or_404(CloudLocation, pk=pk)
    opening = _opening(location, request.user)
    if opening.url and not opening.url.startswith(("https://", "http://")):
        opening = Opening(why_not=NO_ADDRESS.format(one=one_of_each()))
    if opening.url:
        return HttpResponseRedirect(opening.url)
    context = {
        **admin.site.each_context(request),
        "title": location.name,
        "why_not": opening.why_not,
        "lists": [each for each in dependants() if each.may_be_seen_by(request.user)],
    }
    return render(request, "cloud/archive.html", context)


def _opening(location: CloudLocation, user: User) -> Opening:
    """What the first kind of record says that has a word in it; else the link as it is stored."""
    said = (each.opening(location, user) for each in dependants())
    stored = (
        Opening(url=location.share_url) if location.share_url else Opening(why_not=location.share_refusal or NO_LINK)
    )
    return next((opening for opening in said if opening), stored)
