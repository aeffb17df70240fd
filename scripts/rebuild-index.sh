#!/usr/bin/env bash
# Looks through storage and brings its index up to date: `manage.py rebuild_index`, wherever Runsheet runs.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    cat << 'HELP'
Usage: scripts/rebuild-index.sh [OPTIONS OF rebuild_index]

Compares what lies in storage with its index, and brings the index up to date. It runs in the containers of docker compose
where these are up, else in this folder's own .venv. All options are those of `manage.py rebuild_index`:

  scripts/rebuild-index.sh                               say what differs, change nothing
  scripts/rebuild-index.sh --mode sync                   take over what is new, changed, renamed, gone or back again
  scripts/rebuild-index.sh --mode full --force           delete the rows of what is gone for longer than the grace, too
  scripts/rebuild-index.sh --mode full --dry-run         say what that would do

Exit code 0: in sync; 1: there were differences; 2: errors, or something could not be read; 3: refused.
HELP
    exit 0
fi

# The pool that works on storage has its files; a terminal is handed through where there is one.
if command -v docker > /dev/null && [ -n "$(docker compose ps --quiet worker-storage 2> /dev/null)" ]; then
    [ -t 1 ] && terminal=() || terminal=(-T)
    exec docker compose exec "${terminal[@]}" worker-storage python manage.py rebuild_index "$@"
fi
if [ -x .venv/bin/python ]; then
    exec .venv/bin/python manage.py rebuild_index "$@"
fi
echo 'Runsheet runs neither in docker compose nor in .venv here. Start it with "docker compose up --detach", or install it with "make up".' >&2
exit 2
