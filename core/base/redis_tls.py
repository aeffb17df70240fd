"""What ails TLS with Redis, or with a sentinel, in words: what of which certificate, and where that is set right.

Words have a place for the message (`{reason}`), as all of `core/base/redis_client.py` have.
"""

from dataclasses import dataclass
from ssl import SSLCertVerificationError, SSLError

# OpenSSL's numbers (x509_vfy.h).
TOO_EARLY_OR_LATE = {9, 10}
OF_NOBODY_WE_TRUST = {18, 19, 20, 21}
FOR_ANOTHER_NAME = {62, 64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Who has shown a certificate.

    Attributes:
        whose: it is.
        name: what to do if it is for another name.
        agreement: what to say if it does not come to certificates.
    """

    whose: str
    name: str
    agreement: str


REDIS = Shown(
    whose="Redis' certificate",
    name="REDIS_URL must name the host as the certificate does.",
    agreement="Redis and we cannot agree on TLS ({reason}). See whether REDIS_URL must begin with redis:// or rediss://, and its "
    "ssl_certfile if the server wants a certificate of whoever comes.",
)
# The sentinels say where it is.
CHOSEN_REDIS = Shown(
    whose="Redis' certificate",
    name="The sentinels must name the host as the certificate does: give each Redis its name as replica-announce-ip, "
    "and the sentinels “resolve-hostnames yes”, “announce-hostnames yes”.",
    agreement=REDIS.agreement,
)
SENTINEL = Shown(
    whose="A sentinel's certificate",
    name="REDIS_SENTINELS must name the host as the certificate does.",
    agreement="A sentinel and we cannot agree on TLS ({reason}). See its tls-port, and REDIS_SENTINEL_TLS.",
)


def words_of(error: BaseException, shown: Shown) -> str | None:
    """The sentence for an error of a connection; None if it is not about TLS."""
    cause = error.__context__
    if isinstance(cause, SSLCertVerificationError):
        return f"{shown.whose} {_distrust(cause.verify_code, shown)}"
    return shown.agreement if isinstance(cause, SSLError) or "SSL" in str(error) else None


def _distrust(code: int, shown: Shown) -> str:
    if code in FOR_ANOTHER_NAME:
        return f"is for another name ({{reason}}). {shown.name}"
    if code in TOO_EARLY_OR_LATE:
        return "is not valid now ({reason}). Renew it, or see the clocks of its host and this one."
    if code in OF_NOBODY_WE_TRUST:
        return "is of an authority that we do not trust ({reason}). Name its authority as ssl_ca_certs in REDIS_URL."
    return "or its authority's lacks something ({reason}). Make both as docs/operations.md, “Certificates of one's own”, does."
