from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from console.shell import declared
from console.shell.icon import icon
from core.http import refusals
from core.http.metrics import metrics
from core.system import system

declared.put_all()
# Probes of health are answered before any of these, by core.http.health.
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path(f"{settings.ADMIN_PATH}/system/", admin.site.admin_view(system), name="system"),
    path(f"{settings.ADMIN_PATH}/", admin.site.urls),
    path("", include("api.urls")),
    path("", include("cloud.urls")),
    path("", include("storage.urls")),
    path("", include("documents.urls")),
    path("", include("discovery.urls")),
    path("", include("core.interface")),
    path("metrics", metrics),
    path("favicon.ico", icon),
]
handler400 = refusals.bad_request
handler403 = refusals.permission_denied
handler404 = refusals.not_found
handler500 = refusals.server_error
