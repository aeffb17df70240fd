"""What every environment shares. Units stand in the names."""

from importlib import util
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.csp import CSP

from core.base.redis_keys import CACHE_PREFIX
from core.local import servers
from core.ops import logs
from core.settings import addresses, backups, documents, environment, postgres, sentinels

ROOT = servers.ROOT
_ninja = util.find_spec("ninja")
assert _ninja
_urls = servers.configured_urls()  # which may come from files, as every secret may
DATABASE_URL = addresses.with_password(
    "DATABASE_URL", addresses.database("DATABASE_URL", _urls.database_url), beside="DATABASE_PASSWORD"
)
REDIS_URL = addresses.with_password("REDIS_URL", addresses.redis("REDIS_URL", _urls.redis_url), beside="REDIS_PASSWORD")

# --- Django -------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "core.apps.CoreConfig",
    "statemachine.apps.StateMachineConfig",
    "cloud.apps.CloudConfig",
    "api.apps.ApiConfig",
    "storage.apps.StorageConfig",
    "leases.apps.LeasesConfig",
    "documents.apps.DocumentsConfig",
    "discovery.apps.DiscoveryConfig",
    # Below the apps whose templates build on the console's, and before those whose templates it replaces.
    "console.apps.ConsoleConfig",
    "django_fsm",
    "django_rq",
    "console.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "core.base.call_stack.roomy",
    "core.http.request_ids.RequestIds",
    "core.http.health.answer_probes",
    "core.http.request_times.TimeRequests",
    "core.base.redis_client.share_patience",
    "api.compression.Compress",
    "api.throttling.TellRate",
    "api.negotiation.Negotiate",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "core.http.uploads.RefuseTooLarge",
    "django.middleware.csrf.CsrfViewMiddleware",
    "core.http.texts.RefuseNoText",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.http.lists.NoteWrites",
    "core.http.statements.AnswerInTime",
    "core.http.refusals.SayWhatIsNoPage",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "core.urls"
WSGI_APPLICATION = "core.wsgi.application"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    # What was stored before Argon2 came; each becomes Argon2 when its person logs in.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = environment.time_zone("TIME_ZONE", "America/Denver")
USE_TZ = True
FORMAT_MODULE_PATH = "core.formats"
STATIC_URL = "static/"
STATIC_ROOT = servers.LOCAL / "static"
# What the page to read and try the interface is made of. As an app, Ninja would be imported by every worker, with Pydantic and
# Django's test client: a sixth of what a program takes to start.
STATICFILES_DIRS = [Path(each) / "static" for each in _ninja.submodule_search_locations or ()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "documents": documents.storage(local_directory=str(servers.LOCAL / "documents")),
}
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- PostgreSQL: the truth ------------------------------------------------------------------------------------------

LOCK_TIMEOUT_S, TRANSACTION_IDLE_S = postgres.LOCK_TIMEOUT_S, postgres.TRANSACTION_IDLE_S
# No statement of a request takes longer; long enough that who waits for a lock is told that instead.
REQUEST_STATEMENT_S = environment.number("REQUEST_STATEMENT_S", 15, minimum=LOCK_TIMEOUT_S + 1, maximum=60)
DATABASE_IS_POOLED = postgres.is_pooled()
DATABASES = {"default": postgres.database(DATABASE_URL, is_pooled=DATABASE_IS_POOLED)}
# Lists and exports are read there, see core/base/replica.py; empty: there is none.
DATABASE_REPLICA_URL = addresses.replica("DATABASE_REPLICA_URL", environment.confidential("DATABASE_REPLICA_URL", ""))
# It is asked only while it is behind by no more.
DATABASE_REPLICA_LAG_S = environment.number("DATABASE_REPLICA_LAG_S", 5, minimum=0.5, maximum=300)
# Who somebody is and what they may, and what people have last written, is never asked of it.
READ_AT_THE_PRIMARY = {"api", "auth", "contenttypes", "core", "sessions"}
if DATABASE_REPLICA_URL:
    DATABASES["replica"] = postgres.replica(DATABASE_REPLICA_URL, is_pooled=DATABASE_IS_POOLED)
    DATABASE_ROUTERS = ["core.base.replica.Router"]

# --- Redis: the doorbell --------------------------------------------------------------------------------------------

# How long a request may wait for Redis before the reconciler is left to ring (Redis never blocks or fails a save).
DOORBELL_TIMEOUT_S = environment.number("DOORBELL_TIMEOUT_S", 0.3, minimum=0.01, maximum=5)
# How long the reconciler and the workers wait for each answer: nobody waits for them, and a slow Redis only slows them.
REDIS_PATIENCE_S = environment.number("REDIS_PATIENCE_S", 5, minimum=DOORBELL_TIMEOUT_S, maximum=15)
# Whom to ask which server is the primary; None: it is the one that REDIS_URL names.
REDIS_SENTINELS = sentinels.sentinels(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "core.base.cache.Cache",
        "LOCATION": [REDIS_URL],  # a text would be cut at each comma of the password
        "KEY_PREFIX": CACHE_PREFIX,
        # What is put in without a time of its own is forgotten after so many seconds; None would be never.
        "TIMEOUT": 300,
        "OPTIONS": {"timeout_s": 1.0},
    },
}
DISCOVERY_QUEUE = "discovery"
STORAGE_QUEUE = "storage"
# Of the work that names no queue of its own.
DEFAULT_QUEUE = DISCOVERY_QUEUE
# Each needs a pool of workers of its own: `manage.py up`, docker-compose.yml, deploy/systemd and deploy/kubernetes start one for each
# that some work names.
RQ_QUEUES = {
    DISCOVERY_QUEUE: {
        "URL": REDIS_URL,
        "SERIALIZER": "json",
        "DEFAULT_TIMEOUT": 90,
    },
    STORAGE_QUEUE: {
        "URL": REDIS_URL,
        "SERIALIZER": "json",
        "DEFAULT_TIMEOUT": 90,
    },
}
RQ = {"WORKER_CLASS": "statemachine.worker.RunsheetWorker", "COMMIT_MODE": "auto"}
RQ_SHOW_ADMIN_LINK = False
# Of Django's own framework. A task has to say which queue: `@task(queue_name=settings.STORAGE_QUEUE)`.
TASKS = {"default": {"BACKEND": "statemachine.task_queue.RQTasks", "QUEUES": [STORAGE_QUEUE]}}

# --- The engine -----------------------------------------------------------------------------------------------------

# A worker holds a row for this long and renews the claim in time; a killed worker's row is taken up again after it.
CLAIM_S = 15
CLAIM_RENEWAL_S = 4
# A message that no worker has answered for this long is sent again.
DOORBELL_PATIENCE_S = 30
# How long after its due instant RQ may still deliver a retry before the reconciler does.
RETRY_GRACE_S = 5
RECONCILE_INTERVAL_S = environment.number("RECONCILE_INTERVAL_S", 2, minimum=0.1, maximum=10)
# Nobody rings while this many messages wait; the rest stays owed in the database, where it can be overtaken. More
# only makes what somebody starts by hand wait longer: each worker tops the queue up whenever it has done a job.
QUEUE_TARGET = environment.whole_number("QUEUE_TARGET", 16, minimum=1, maximum=1_000)
# What was started by hand overtakes the rest, except what has waited for so much longer.
BACKGROUND_YIELD_S = 600
# So many months of the transition log are kept whole; 0: all. Of what is older, each record keeps its last entries.
TRANSITION_LOG_MONTHS = environment.whole_number("TRANSITION_LOG_MONTHS", 12, maximum=1_200)
TRANSITION_LOG_ENTRIES = environment.whole_number("TRANSITION_LOG_ENTRIES", 50, minimum=1, maximum=1_000_000)
# Who makes the months of the log, and trims it.
LOG_QUEUE = STORAGE_QUEUE
# A worker that is told to stop may finish what it is at for this long; then it puts the work back.
WORKER_STOP_S = 20
DISCOVERY_SOFT_TIME_LIMIT_S = environment.whole_number("DISCOVERY_SOFT_TIME_LIMIT", 90, minimum=1, maximum=3600)
DISCOVERY_TIME_LIMIT_S = environment.whole_number(
    # Later than the exception, so that what does not heed it is killed.
    "DISCOVERY_TIME_LIMIT",
    120,
    minimum=DISCOVERY_SOFT_TIME_LIMIT_S + 1,
    maximum=7200,
)
DISCOVERY_TRIES = 5
DISCOVERY_BACKOFF_BASE_S = environment.number("DISCOVERY_BACKOFF_BASE_S", 2, minimum=0, maximum=600)
DISCOVERY_BACKOFF_CAP_S = environment.number(
    # Less than the first pause would be no cap.
    "DISCOVERY_BACKOFF_CAP_S",
    120,
    minimum=DISCOVERY_BACKOFF_BASE_S,
    maximum=86_400,
)

# An automatic trigger that comes again with the same input is skipped for so long; 0: never.
DEDUP_TTL_S = environment.whole_number("DISCOVERY_DEDUP_TTL", 120, maximum=86_400)

# --- Discovery ------------------------------------------------------------------------------------------------------

RUNSHEET_PREVIOUS_REPORT_PATTERN = environment.pattern("RUNSHEET_PREVIOUS_REPORT_PATTERN", r".*master documents.*")
# Of office programs (owner and lock files, unsaved copies), editors, systems, browsers that still download, and of what copies.
# Each is so narrow that nobody calls a report so: to pass one over is worse than to show what a program has left. Numbered parts
# count only behind a whole name, “.part1” by itself being a volume; what rsync leaves looks like any name with a dot before it.
RUNSHEET_PROGRAM_REMAINS = environment.name_forms(
    "RUNSHEET_PROGRAM_REMAINS",
    "~$*,.~lock.*#,.~*,~*.tmp,*.tmp,*.temp,*.asd,*.wbk,*.ldb,*.laccdb,*.dwl,*.dwl2,"
    ".#*,#[! ]*.[a-z][a-z][a-z]#,#[! ]*.[a-z][a-z][a-z][a-z]#,*.[a-z][a-z][a-z]~,*.[a-z][a-z][a-z][a-z]~,*.bak~,"
    ".*.sw[n-p],*.kate-swp,.goutputstream-*,"
    "._*,*.sb-????????-??????,.*.icloud,*.lnk,*.url,*.webloc,*.website,*.desktop,"
    "*.crdownload,*.crswap,*.download,*.opdownload,*.fdmdownload,*.filepart,*.part,*.partial,*.part.met,"
    "*.pdf.part[0-9],*.pdf.part[0-9][0-9],*.pdf.part[0-9][0-9][0-9],"
    "*.doc.part[0-9],*.doc.part[0-9][0-9],*.docx.part[0-9],*.docx.part[0-9][0-9],"
    "*.aria2,*.aria2__temp,*.!ut,*.!qb,*.!bt,*.bc!,*.xltd,*.drivedownload,*.driveupload,"
    "desktop.ini,thumbs.db,ehthumbs.db,.ds_store,.dropbox,.dropbox.attr",
)

# Leases whose archives are there to be found, for who tries the console; `make up` names those of its stand-in.
LEASES_TO_TRY = [each.strip() for each in environment.text("LEASES_TO_TRY", " ").split(";") if each.strip()]

# --- Storage --------------------------------------------------------------------------------------------------------

# The places in which files lie, by name. `kind` says who lists them: “storage”, one of STORAGES; “files”, a directory
# (`path`). `owned`: the first part of each path is the number of the user whose the file is.
STORAGE_ROOTS: dict[str, dict[str, Any]] = {
    "documents": {"kind": "storage", "storage": "documents", "owned": True},
}
# A file is missing for so long before its row may be deleted.
STORAGE_MISSING_GRACE_DAYS = environment.whole_number("STORAGE_MISSING_GRACE_DAYS", 30, maximum=3650)
# The index reads at most so many entries in a second; 0: as fast as it can.
STORAGE_INDEX_ENTRIES_PER_S = environment.whole_number("STORAGE_INDEX_ENTRIES_PER_S", 0, maximum=10_000_000)

# Runs that nobody asks for; 0: never. A disk is looked at shortly, by the times of its directories: only where something has
# changed does a run begin. See docs/storage.md.
STORAGE_LOOK_EVERY_S = environment.whole_number("STORAGE_LOOK_EVERY_S", 300, maximum=86_400)
STORAGE_INCREMENTAL_EVERY_HOURS = environment.whole_number("STORAGE_INCREMENTAL_EVERY_HOURS", 24, maximum=8_760)
STORAGE_WHOLE_EVERY_DAYS = environment.whole_number("STORAGE_WHOLE_EVERY_DAYS", 7, maximum=3_650)
STORAGE_LOOK_AT_START = environment.choice("STORAGE_LOOK_AT_START", "yes", among=("yes", "no")) == "yes"
# What older runs have planned is deleted; 0: never.
STORAGE_RUNS_KEPT_DAYS = environment.whole_number("STORAGE_RUNS_KEPT_DAYS", 90, maximum=3_650)

# --- Documents ------------------------------------------------------------------------------------------------------

# A document has at most so many bytes.
DOCUMENTS_LARGEST_BYTES = documents.MB * environment.whole_number(
    "DOCUMENTS_LARGEST_MB", 5_000, minimum=1, maximum=5_000_000
)
# The room of each person, and of each agency, for whom nothing else is said; 0: as much as there is.
DOCUMENTS_QUOTA_BYTES = documents.MB * environment.whole_number("DOCUMENTS_QUOTA_MB", 100_000, maximum=500_000_000)
DOCUMENTS_AGENCY_QUOTA_BYTES = documents.MB * environment.whole_number(
    "DOCUMENTS_AGENCY_QUOTA_MB", 0, maximum=500_000_000
)
# So many versions of documents each person has at most, since what holds no bytes takes a row, too.
DOCUMENTS_VERSIONS_AT_MOST = environment.whole_number(
    "DOCUMENTS_VERSIONS_AT_MOST", 2_000_000, minimum=1, maximum=500_000_000
)
# What is to be deleted for good is kept for so long, so that somebody may still think better of it.
DOCUMENTS_PURGE_GRACE_DAYS = environment.whole_number("DOCUMENTS_PURGE_GRACE_DAYS", 30, maximum=3_650)
# What becomes of a file that is of another kind than was said: it is kept as what it is, or held back.
DOCUMENTS_TYPE_MISMATCH = environment.choice("DOCUMENTS_TYPE_MISMATCH", "correct", among=("correct", "refuse"))
# Where ClamAV listens: tcp://host:3310, or unix:///path; empty: files are not looked through for viruses.
DOCUMENTS_SCANNER = documents.scanner("DOCUMENTS_SCANNER")
# What nobody could look through is held back (closed), or let through (open).
DOCUMENTS_SCANNER_FAILS = environment.choice("DOCUMENTS_SCANNER_FAILS", "closed", among=("closed", "open"))
# As ClamAV's own StreamMaxLength says.
DOCUMENTS_SCANNER_LARGEST_BYTES = documents.MB * environment.whole_number(
    "DOCUMENTS_SCANNER_LARGEST_MB", 100, minimum=1, maximum=4_000
)
# Who sends documents: this server piece by piece, the web server before it, or the place where they lie by a signed address.
DOCUMENTS_DELIVERY, DOCUMENTS_INTERNAL_HEADER, DOCUMENTS_INTERNAL_PREFIX = documents.delivery()
# An upload in several requests is over once nothing of it has come for so long. Azure forgets its parts after a week.
DOCUMENTS_UPLOAD_HOURS = environment.whole_number("DOCUMENTS_UPLOAD_HOURS", 24, minimum=1, maximum=144)
# So many of a process's four threads may be busy with large files that come or go; whoever comes then is told to try again.
DOCUMENTS_TRANSFERS_AT_MOST = environment.whole_number("DOCUMENTS_TRANSFERS_AT_MOST", 3, minimum=1, maximum=4)

# --- Backups --------------------------------------------------------------------------------------------------------

# Older backups go, once there is one with which nothing is wrong; 0: none do.
BACKUP_KEEP_DAYS = environment.whole_number("BACKUP_KEEP_DAYS", 30, maximum=36_500)
# Public keys of age's that backups are encrypted with; none: they are not.
BACKUP_RECIPIENTS = environment.words("BACKUP_RECIPIENTS")
# Where pg_dump, pg_restore and psql are; empty: they are looked for.
BACKUP_POSTGRES_BIN = backups.programs()
BACKUP_S3 = backups.s3()

# --- What lies in the agencies' folders of archives ---------------------------------------------------------------

# So often it is seen to which of them are to be looked at; how often each is, its agency's configuration says. 0: never.
ARCHIVE_WATCH_EVERY_S = environment.whole_number("ARCHIVE_WATCH_EVERY_S", 5, maximum=3_600)

# --- The interface for programs -------------------------------------------------------------------------------------

# Whoever asks for the end of something waits for it at most so long: less than gunicorn's patience, and a proxy's.
API_WAIT_AT_MOST_S = environment.number("API_WAIT_AT_MOST_S", 20, minimum=0, maximum=25)
# So many of a process's four threads may wait; whoever comes then is told at once how it stands.
API_WAITING_AT_MOST = environment.whole_number("API_WAITING_AT_MOST", 2, maximum=3)

# So many requests in a minute are taken from one token, or from one person by the session; 0: any number.
API_PER_MINUTE = environment.whole_number("API_PER_MINUTE", 600, maximum=1_000_000)
# The same of one address, of requests of which nobody knows whose they are: without a token, or with one that opens nothing.
API_UNKNOWN_PER_MINUTE = environment.whole_number("API_UNKNOWN_PER_MINUTE", 60, maximum=1_000_000)

# --- Telling people -------------------------------------------------------------------------------------------------

# Where the console is reached, for links in mails.
CONSOLE_URL = environment.web_address("CONSOLE_URL", "http://127.0.0.1:8000")
DEFAULT_FROM_EMAIL = environment.sender("EMAIL_FROM", "Runsheet <runsheet@localhost>")
# Without a mail server the console tells people, and the notices say that no mail was sent.
EMAIL_URL = environment.confidential("EMAIL_URL", "")
HAS_MAIL_SERVER = bool(EMAIL_URL)
# What is said after the sentence that PostgreSQL or Redis does not answer: how they are started here, if that is known.
START_SERVERS = ""
MAILERS = environment.mailers("EMAIL_URL", EMAIL_URL or "smtp://localhost")
# All leases that fail for one reason within this time are told in one mail.
NOTICE_GATHERS_S = environment.number("NOTICE_GATHERS_S", 180, minimum=0, maximum=86_400)

# --- Dropbox --------------------------------------------------------------------------------------------------------

# Empty: the real Dropbox. Else scheme and authority of a stand-in; plain http only on loopback.
DROPBOX_BASE_URL = environment.text("DROPBOX_BASE_URL", " ").strip()
DROPBOX_APP_KEY = environment.text("DROPBOX_APP_KEY", " ").strip()
DROPBOX_APP_SECRET = environment.confidential("DROPBOX_APP_SECRET", "")
if not environment.names("DROPBOX_BASE_URL") and (_standin := servers.running_standin()):
    # The accounts of what `manage.py up` runs in this checkout are its stand-in's, so it is what other commands mean.
    DROPBOX_BASE_URL = _standin["DROPBOX_BASE_URL"]
    DROPBOX_APP_KEY, DROPBOX_APP_SECRET = _standin["DROPBOX_APP_KEY"], _standin["DROPBOX_APP_SECRET"]
_consent = urlsplit(DROPBOX_BASE_URL or "https://www.dropbox.com")
_origin_of_consent = f"{_consent.scheme}://{_consent.netloc}"
# One account is asked at most so often in any second, by all workers together; 0: no ceiling.
DROPBOX_CALLS_PER_S = environment.whole_number("DROPBOX_CALLS_PER_S", 12, maximum=1_000)
# So many share links are made ahead of their first opening, while nothing else is to be done; 0: each when it is opened.
LINKS_PER_MINUTE = environment.whole_number("LINKS_PER_MINUTE", 60, maximum=6_000)
# Whether archives that are missing may be made: then people are asked to let Runsheet write, too.
DROPBOX_MAKES_ARCHIVES = environment.choice("DROPBOX_MAKES_ARCHIVES", "no", among=("yes", "no")) == "yes"
DROPBOX_CONNECT_TIMEOUT_S = 5
DROPBOX_READ_TIMEOUT_S = 30

# --- Safety in the browser ------------------------------------------------------------------------------------------

# Where the console answers: a name, not a secret, since whoever is not logged in is led there.
ADMIN_PATH = environment.folder("ADMIN_PATH", "admin")
# Everybody logs in again after so long.
SESSION_COOKIE_AGE = 3600 * environment.whole_number("SESSION_HOURS", 12, minimum=1, maximum=720)
SESSION_COOKIE_HTTPONLY = True
# Tells a browser in which somebody has logged in from one that tries a name for the first time.
BROWSER_COOKIE_NAME = "browser"
# So many proxies append to X-Forwarded-For; logins are counted by the address that the outermost of them saw.
PROXY_COUNT = environment.whole_number("PROXY_COUNT", 0, maximum=10)
SESSION_COOKIE_SAMESITE = "Lax"  # "Strict" would forget who comes back from Dropbox
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "core.http.refusals.forged"
# More than that is refused before it is read. The largest thing that anybody sends is a file to import, of 10 MB.
REQUEST_BYTES_MAX = 11_000_000
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# What a page may load and where it may send: only what this server gave it. RQ's pages have one exception, see
# console/machine/dashboard.py.
SECURE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    # “Connect Dropbox” is a form whose answer leads there.
    "form-action": [CSP.SELF, _origin_of_consent],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}

# --- Logging --------------------------------------------------------------------------------------------------------

LOG_LEVEL = environment.choice("LOG_LEVEL", "INFO", among=logs.LEVELS)
LOGGING = logs.configuration(level=LOG_LEVEL, form=environment.choice("LOG_FORMAT", "console", among=logs.FORMS))
# With it as a bearer token anybody may read the metrics; empty: only superusers.
METRICS_TOKEN = environment.confidential("METRICS_TOKEN", "")
# Empty: no error tracker.
SENTRY_DSN = environment.sentry_dsn("SENTRY_DSN")
SENTRY_ENVIRONMENT = environment.text("SENTRY_ENVIRONMENT", " ").strip()
