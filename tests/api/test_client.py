"""A client that a generator makes of docs/openapi.json, as others make theirs, does what the interface is for."""
