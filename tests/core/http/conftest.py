from tests.replicas import known_replica, replica, shared_standby  # noqa: F401 - fixtures
