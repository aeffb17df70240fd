from django.apps import AppConfig


class StateMachineConfig(AppConfig):
    name = "statemachine"
