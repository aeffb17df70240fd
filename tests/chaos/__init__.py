"""Breaking everything on purpose, and an oracle that tells whether anything was lost, repeated or mixed up.

`make chaos SEED=7` plays 300 leases in about three minutes (never more than ten), with production settings; the short run
and the one without the fence are part of `make test`. What is planned depends on the seed alone; which worker is hit, and what it
is at then, also on how fast the machine is. `.local/chaos/log` keeps what each program said.

    world.py    three Dropboxes that see different parts: a member of a team, one from whom some folders are kept, a stranger
    plan.py     leases, what Dropbox spoils, blows, changed base paths, and what people do, from the seed
    agenda.py   what is to be done when
    blows.py    SIGKILL, SIGSTOP, FLUSHALL, restarts, expired tokens, messages delivered twice
    outages.py  Redis read-only and full, PostgreSQL's disk full (a small tmpfs; left out, and told, where none can be mounted)
    run.py      the run itself
    record.py   what the database and the stand-in's journal tell
    story.py    what each person sees, what the log says, what is known at each row of it
    oracle.py   the rules, with answers.py (was each answer justified?) and calls.py (was it asked too often?);
                test_oracle.py and test_answers.py show that each can be broken
    cups.py     slices and sets of the toy machine, with an oracle of its own (`python -m tests.chaos.cups --seed 7`)
    documents.py  documents while web, workers and SeaweedFS are killed (`python -m tests.chaos.documents`), with an oracle of its own;
                senders.py is who sends them, over HTTP, and what they were answered
    unfenced/   the engine without its fence, on which the rules must go red

What is not as in the world: the hosts are pools of processes on one machine, each under a supervisor of its own; the clock of
each but the first is wrong for what Python reads (bench/skewed_clock), not for its kernel; a worker does not fork for a job, so that
SIGKILL of a worker is SIGKILL of the work-horse. Dropbox spoils at most two calls of a lease, so that three of its five tries are
left for the blows; a lease that has used up all five nevertheless is run again, as an operator would, and the run says so.
"""
