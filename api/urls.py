from django.contrib import admin
from django.urls import path

from api import reading, views
from api.scopes import PLACE

_for_staff = admin.site.admin_view

urlpatterns = [
    path("tokens/", _for_staff(views.own), name="api_tokens"),
    path("tokens/<int:pk>/revoke/", _for_staff(views.revoke), name="api_token_revoke"),
    path(f"{PLACE}docs/", _for_staff(reading.page), name="interface"),
]
