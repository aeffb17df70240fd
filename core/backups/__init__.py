"""Backups of everything that cannot be made anew: the database and what lies in storage (`docs/decisions/0024-…`).

In a place of their own, a directory or a bucket:

    blobs/3f/3f0a…                   what files hold, each content once for all backups
    backups/20260131T120000.000Z/
        database                     what `pg_dump` says of one moment
        files                        which files there were, and which blob each holds
        blobs                        the blobs that these need, and their checksums as they lie there
        manifest.json                last of all: a backup without it is none

The database is read in one snapshot. What it refers to never changes, and nothing of it is deleted while the backup goes on;
so it is copied afterwards, and belongs to that moment all the same.
"""
