-- name: track
-- What an analysis works on; no row if the track has been deleted.
select t.storage_key, t.content_hash, t.duration_samples, n.content_hash is not null as is_made
from tracks t left join renditions n using (content_hash)
where t.track_id = :track_id and t.deleted_at is null;

-- name: add
-- The segments are kept: the rendition is there. Another job may have made the very same.
insert into renditions (content_hash, integrated_lufs, true_peak_db, outline)
values (:content_hash, :integrated_lufs, :true_peak_db, :outline)
on conflict do nothing;

-- name: add_segments
-- All of them, numbered in order from 0.
insert into rendition_segments (content_hash, number, flac_key, flac_bytes, opus_key, opus_bytes)
select :content_hash, s.place - 1, s.flac_key, s.flac_bytes, s.opus_key, s.opus_bytes
from unnest(:flac_keys::text[], :flac_sizes::bigint[], :opus_keys::text[], :opus_sizes::bigint[])
    with ordinality as s (flac_key, flac_bytes, opus_key, opus_bytes, place)
on conflict do nothing;

-- name: outline
-- The outline of a rendition.
select outline from renditions where content_hash = :content_hash;

-- name: segment
-- Where one segment lies.
select flac_key, flac_bytes, opus_key, opus_bytes from rendition_segments
where content_hash = :content_hash and number = :number;

-- name: is_awaited
-- Whether a job is still going to make a rendition of this content.
select exists (
    select from tracks t join jobs j using (track_id)
    where t.content_hash = :content_hash and j.kind = 'analysis'
        and j.state in ('waiting', 'running')
);

-- name: forget
-- Renditions whose tracks were all deleted: two deletions at the same instant each saw the other's.
with gone as (
    delete from renditions n where not exists (
        select from tracks t
        where t.content_hash = n.content_hash
            and (t.deleted_at is null or t.deleted_at = 'infinity')
    )
    returning content_hash
), lost as (
    select unnest(array[s.flac_key, s.opus_key]) as key
    from rendition_segments s join gone using (content_hash)
)
insert into file_drops (key) select distinct key from lost order by key
on conflict (key) do update set again = file_drops.claim_id is not null;
