from django.urls import path

from api.frame import interface

addresses = interface.urls
for each in addresses[0]:
    # Who is led elsewhere sends a GET there, or nothing: a program that has left out the slash is told so.
    each.callback.should_append_slash = False  # type: ignore[union-attr]  # Django's own mark, which its types lack
urlpatterns = [path("api/v1/", addresses)]
