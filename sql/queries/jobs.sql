-- name: get
-- A job, if it is the user's own.
select job_id, kind, track_id, state, progress, error, created_at, ended_at from jobs
where job_id = :job_id and user_id = :user_id;

-- name: claim
-- Take the job that has been due for the longest time; for lease_ms it is ours. None is put off for
-- an hour: the database's clock was set back since.
update jobs
set state = 'running', attempt = attempt + 1, claim_id = :claim_id,
    due_at = now() + :lease_ms * interval '1 millisecond'
where job_id = (
    select job_id from jobs
    where state in ('waiting', 'running') and kind = any(:kinds::text[])
        and (due_at <= now() or due_at > now() + interval '1 hour')
    order by due_at
    limit 1
    for update skip locked
)
returning job_id, kind, track_id, attempt, claim_id;

-- name: beat
-- Tell how far it is and keep it for another lease_ms; no row is touched if it is ours no more.
update jobs
set progress = greatest(progress, :progress),
    due_at = now() + :lease_ms * interval '1 millisecond'
where job_id = :job_id and claim_id = :claim_id and state = 'running';

-- name: done
-- It has ended well.
update jobs set state = 'done', progress = 1, claim_id = null, ended_at = now()
where job_id = :job_id and claim_id = :claim_id and state = 'running';

-- name: failed
-- It has ended badly, and will not be tried again.
update jobs set state = 'failed', error = :error, claim_id = null, ended_at = now()
where job_id = :job_id and claim_id = :claim_id and state = 'running';

-- name: retry
-- It is to be tried again after a while.
update jobs
set state = 'waiting', claim_id = null, due_at = now() + :wait_ms * interval '1 millisecond'
where job_id = :job_id and claim_id = :claim_id and state = 'running';

-- name: release
-- Whoever had it stops in good order: it is due at once, and this was no attempt.
update jobs set state = 'waiting', claim_id = null, due_at = now(), attempt = attempt - 1
where job_id = :job_id and claim_id = :claim_id and state = 'running';

-- name: forget
-- Jobs that ended a month ago.
delete from jobs where state in ('done', 'failed') and ended_at < now() - interval '30 days';

-- name: count
-- How many jobs are in each state; of those that ended, the last day's.
select state, count(*) as jobs from jobs
where state in ('waiting', 'running')
    or (state in ('done', 'failed') and ended_at > now() - interval '1 day')
group by state;
