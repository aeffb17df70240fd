"""Where each agency's archives lie, and a button that tries it."""

from typing import ClassVar, override

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from discovery.services.configuration_check import check_configuration
from leases.admin import AgencyStorageConfigAdmin
from leases.models import AgencyStorageConfig

admin.site.unregister(AgencyStorageConfig)


@admin.register(AgencyStorageConfig)
class ConfigurationAdmin(AgencyStorageConfigAdmin):
    """As in the records, and as one's own Dropbox sees it."""

    change_form_template: ClassVar[str] = "discovery/configuration.html"

    @override
    def get_urls(self) -> list[URLPattern]:
        *urls, anything_else = super().get_urls()
        test = self.admin_site.admin_view(require_POST(self.test))
        return [*urls, path("<int:pk>/test/", test, name="leases_agencystorageconfig_test"), anything_else]

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what the person's Dropbox has at the saved base path.

        Raises:
            PermissionDenied, Http404: nothing was asked.
        """
        if not self.has_change_permission(request):
            raise PermissionDenied
        assert isinstance(request.user, User)
        configuration = get_object_or_404(AgencyStorageConfig, pk=pk)
        for finding in check_configuration(configuration=configuration, user=request.user):
            (messages.success if finding.is_good else messages.error)(request, finding.text)
        return HttpResponseRedirect(reverse("admin:leases_agencystorageconfig_change", args=[pk]))
