"""The page behind “Open in Dropbox”."""

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cloud.models import CloudLocation
from discovery.services.archive_opening import Opening, open_archive

NO_ADDRESS = Opening(why_not="The stored share link is not a web address, so it is not followed. Run the lease again.")


@never_cache
@require_GET
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the archive in Dropbox, or explain why not.

    Raises:
        PermissionDenied, Http404: nothing was asked.
    """
    assert isinstance(request.user, User)
    if not request.user.has_perm("leases.view_lease"):
        raise PermissionDenied
    location = get_object_or_404(CloudLocation, pk=pk)
    opening = open_archive(location=location, user=request.user)
    if opening.url and not opening.url.startswith(("https://", "http://")):
        opening = NO_ADDRESS
    if opening.url:
        return HttpResponseRedirect(opening.url)
    context = {**admin.site.each_context(request), "title": location.name, "why_not": opening.why_not}
    return render(request, "discovery/archive.html", context)
