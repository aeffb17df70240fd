from django.urls import path

from documents import public

urlpatterns = [
    path("share/<str:token>/", public.share, name="share"),
    path("share/<str:token>/download/", public.share_download, name="share_download"),
    path("public/<str:unique_name>/", public.public, name="public_document"),
    path("public/<str:unique_name>/download/", public.public_download, name="public_document_download"),
]
