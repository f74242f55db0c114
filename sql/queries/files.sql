-- name: hold
-- A job is about to keep these files, and will name them when it ends.
insert into file_holds (key, job_id) select key, :job_id from unnest(:keys::text[]) as k (key)
on conflict (key, job_id) do update set until = excluded.until;

-- name: let_go
-- The job has named them.
delete from file_holds where job_id = :job_id;

-- name: let_go_old
-- Jobs that died have let go of what they kept.
with gone as (
    delete from file_holds where until < now() returning key
)
insert into file_drops (key) select distinct key from gone order by key
on conflict (key) do update set again = file_drops.claim_id is not null;

-- name: is_dropping
-- Whether any of these is being dropped just now.
select exists (
    select from file_drops where key = any(:keys::text[]) and claim_id is not null
);

-- name: claim
-- Take keys whose files may have to go; a claim that is left behind is void after ten minutes.
update file_drops set claim_id = :claim_id, due_at = now() + interval '10 minutes'
where key in (
    select key from file_drops where due_at <= now() order by due_at limit :most
    for update skip locked
)
returning key;

-- name: unnamed
-- Those of the keys that no row names.
select key from unnest(:keys::text[]) as k (key)
where not exists (
        select from tracks t
        where t.content_hash = replace(k.key, '/', '')
            and (t.deleted_at is null or t.deleted_at = 'infinity')
    )
    and not exists (
        select from tracks t
        where t.cover_key = k.key and (t.deleted_at is null or t.deleted_at = 'infinity')
    )
    and not exists (
        select from tracks t
        where t.cover_small_key = k.key and (t.deleted_at is null or t.deleted_at = 'infinity')
    )
    and not exists (select from rendition_segments s where s.flac_key = k.key)
    and not exists (select from rendition_segments s where s.opus_key = k.key)
    and not exists (select from file_holds h where h.key = k.key);

-- name: dropped
-- They have been seen to.
delete from file_drops where claim_id = :claim_id and not again;

-- name: give_back
-- Those that are left lost another name meanwhile: they are to be looked at again.
update file_drops set claim_id = null, again = false, due_at = now()
where claim_id = :claim_id;
