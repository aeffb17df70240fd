from django.urls import path

from api.frame import interface

urlpatterns = [path("api/v1/", interface.urls)]
