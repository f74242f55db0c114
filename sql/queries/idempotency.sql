-- name: claim
-- Take a key, or see what it holds. An answer is kept for 24 hours, a claim without one for a minute.
with taken as (
    insert into idempotency as kept (user_id, key, body_hash, status, media_type, answer)
    values (:user_id, :key, :body_hash, :under_way, '', '')
    on conflict (user_id, key) do update
        set body_hash = excluded.body_hash, status = excluded.status,
            media_type = '', answer = '', created_at = now()
        where kept.created_at < now() - interval '24 hours'
            or (kept.status = excluded.status and kept.created_at < now() - interval '1 minute')
    returning body_hash, status, media_type, answer
)
select true as ours, body_hash, status, media_type, answer from taken
union all
select false, body_hash, status, media_type, answer from idempotency
where user_id = :user_id and key = :key and not exists (select from taken);

-- name: keep
-- Store the answer of a write that was done.
update idempotency
set status = :status, media_type = :media_type, answer = :answer
where user_id = :user_id and key = :key;

-- name: give_back
-- The write was refused: the key is free again.
delete from idempotency where user_id = :user_id and key = :key and status = 0;

-- name: forget
-- Drop what is older than a day.
delete from idempotency where created_at < now() - interval '24 hours';
