"""What every answer of the interface says of how many more may be asked for, and the refusal of whoever nobody knows."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from api import failures, rates
from api.errors import TooManyRequests
from core.http import problems


class TellRate:
    """Django middleware. Whoever is known was counted when that was found out; all others are, once it is not.

    So who tries tokens is counted by address, and does not slow down those who have one, wherever they are.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and say how it stands."""
        answer = self._get_response(request)
        if not problems.is_for_a_program(request):
            return answer
        if rates.rate_of(request) is None:
            try:
                rates.admit_unknown(request)
            except TooManyRequests as error:
                answer = failures.failed(request, error)
        rate = rates.rate_of(request)
        for name, value in (rate.headers() if rate else {}).items():
            answer[name] = value
        return answer
