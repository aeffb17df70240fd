from django.apps import AppConfig


class CupsConfig(AppConfig):
    name = "tests.cups"
    label = "cups"
