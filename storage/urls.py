from django.urls import path

from storage import views

urlpatterns = [path("files/<str:token>/", views.stored_file, name="stored_file")]
