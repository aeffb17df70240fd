"""What the cache stores is JSON: Django's default is pickle, which runs code for whoever can write to Redis."""

import json
from typing import Any


class JSONSerializer:
    """For `CACHES[…]["OPTIONS"]["serializer"]`; integers stay as they are, so that Redis can count them."""

    def dumps(self, value: Any) -> Any:
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: Any) -> Any:
        return json.loads(data)
