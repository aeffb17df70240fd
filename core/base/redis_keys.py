"""Every name that is ours in Redis, and with what those of RQ begin. `deploy/redis/users.acl` lets the product use no others."""

from typing import Literal

OURS = "runsheet:"
RQS = "rq:"
# Of Django's cache, which writes `runsheet:1:…`.
CACHE_PREFIX = OURS.removesuffix(":")

# All of these but the tally are forgotten by themselves.
type Kind = Literal[
    "api",  # requests of this minute: of a token or a person by number, or of an address by digest
    "logins",  # tries of these 15 minutes: of a pair, an address, an account or a browser by digest
    "pace",  # a Dropbox account: when it was asked lately
    "pause",  # a Dropbox account: it is asked nothing for so long
    "probe",  # a message that is sent and taken back, to see whether that works
    "shares",  # as logins, of links for people outside
    "spare",  # the number of this database is taken, by a process
    "tally",  # what /metrics counts
    "trigger",  # what happened to whom: with which input lately
]
type CacheKind = Literal[
    "base-path",  # an account, a root and a folder of archives: in which shared folder it is
    "folder-missed",  # an agency: when each account's runs last missed a folder of archives
    "folder-seen",  # a folder of archives: when each account last gave an answer for it
    "link-left-alone",  # an archive: no link is made ahead
    "links-listed",  # an account and a root: how far its links were listed
    "made-lately",  # a root and a folder of archives: which were made in it
    "near-names",  # an account, a root and a folder of archives: the names in it
]


def redis_key(kind: Kind, *parts: object) -> str:
    """The name of what is kept of something."""
    return OURS + ":".join([kind, *map(str, parts)])


def cache_key(kind: CacheKind, *parts: object) -> str:
    """The same in the cache, which puts its prefix before it."""
    return ":".join([kind, *map(str, parts)])
