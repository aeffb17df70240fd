"""A database as it is after years: leases in every state, each with its history. Imported once Django is ready."""

from django.contrib.auth.models import User
from django.db import connection

PEOPLE = 20
# One statement each, since a million rows need not come through Python. In a hundred leases, five have failed, fourteen
# are not found, four only found, two new, and the rest done; a few are under way.
LOCATIONS = """
INSERT INTO cloud_cloudlocation (path, name, share_url)
SELECT '/Federal Workspace/^Runsheet Workspace/Runsheet Archive/NMNM ' || lpad(n::text, 7, '0'),
    'NMNM ' || lpad(n::text, 7, '0'), 'https://www.dropbox.com/scl/fo/' || md5(n::text) || '?rlkey=' || md5('k' || n)
FROM generate_series(1, %(leases)s) n
"""
LEASES = """
INSERT INTO leases_lease (agency, lease_number, state, generation, due_at, claimed_until, entered_at, created_at,
    updated_at, created_by_id, updated_by_id, initiated_by_id, runsheet_directory_id, runsheet_report_found,
    failure_code, failure_message, background)
SELECT CASE WHEN n %% 3 = 0 THEN 'NMSLO' ELSE 'BLM' END,
    CASE WHEN n %% 3 = 0 THEN 'B0-' || n || '-' || n %% 9 ELSE 'NMNM ' || lpad(n::text, 7, '0') END,
    state, %(log)s, CASE WHEN state = 'searching' THEN now() + interval '1 hour' END,
    CASE WHEN state = 'searching' THEN now() + interval '1 hour' END,
    at + interval '1 hour', at, at, person, person, person,
    CASE WHEN state IN ('done', 'found') THEN location.id END,
    state = 'done' AND n %% 2 = 0, failure, CASE WHEN failure <> '' THEN 'It did not work, and this says why.' ELSE '' END,
    n %% 4 <> 0
FROM (
    SELECT n, CASE WHEN n %% 10007 = 0 THEN 'searching' WHEN n %% 100 < 5 THEN 'failed' WHEN n %% 100 < 19 THEN 'not_found'
            WHEN n %% 100 < 23 THEN 'found' WHEN n %% 100 < 25 THEN 'pending' ELSE 'done' END AS state,
        CASE WHEN n %% 10007 <> 0 AND n %% 100 < 5 THEN (ARRAY['connect_dropbox', 'dropbox_unavailable',
            'configuration_missing', 'base_path_missing', 'took_too_long'])[1 + n %% 5] ELSE '' END AS failure,
        now() - (%(leases)s - n) * interval '300 s' AS at,
        (SELECT min(id) FROM auth_user) + n %% %(people)s AS person
    FROM generate_series(1, %(leases)s) n
) lease JOIN cloud_cloudlocation location ON location.name = 'NMNM ' || lpad(n::text, 7, '0')
ORDER BY n
"""
LOG = """
INSERT INTO statemachine_transitionlog (record_type, record_id, transition, from_state, to_state, generation, actor_kind,
    actor_id, reason, job_id, at, lasted, tries, evidence)
SELECT 'leases.lease', lease.id,
    (ARRAY['start_search', 'record_found', 'start_detection', 'record_detection'])[1 + (step - 1) %% 4],
    (ARRAY['done', 'searching', 'found', 'detecting'])[1 + (step - 1) %% 4],
    (ARRAY['searching', 'found', 'detecting', 'done'])[1 + (step - 1) %% 4],
    step, CASE WHEN step %% 4 = 1 THEN 'user' ELSE 'worker' END,
    CASE WHEN step %% 4 = 1 THEN lease.created_by_id END,
    'full discovery', CASE WHEN step %% 4 <> 1 THEN 'leases.lease:' || lease.id || ':searching:' || step ELSE '' END,
    lease.created_at + step * interval '2 s', interval '2 s', CASE WHEN step %% 2 = 0 THEN 1 + lease.id %% 3 ELSE 0 END,
    CASE WHEN step %% 2 = 0 THEN jsonb_build_object('path', '/Federal Workspace/^Runsheet Workspace/' || lease.lease_number,
        'account_id', 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc', 'entries', 3, 'answer', 'listed') ELSE '{}'::jsonb END
FROM generate_series(1, %(log)s) step CROSS JOIN leases_lease lease
"""


def fill(*, leases: int, log: int) -> None:
    """Make the rows; `log` of them in the log for each lease. The people's primary keys follow one another."""
    User.objects.bulk_create(User(username=f"person-{n:02}", is_staff=True, is_superuser=n == 0) for n in range(PEOPLE))
    values = {"leases": leases, "log": log, "people": PEOPLE}
    with connection.cursor() as cursor:
        for statement in (LOCATIONS, LEASES, LOG):
            cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")
