-- A file in the media storage is named by a row before it is kept, and dropped once no row names it.
-- The names are the keys of tracks (also of those that are still being uploaded), those of segments,
-- and these: what a job has made and will name when it ends. A job that died names them no longer.
create table file_holds (
    key text not null,
    job_id uuid not null,
    until timestamptz not null default now() + interval '1 day',
    primary key (key, job_id)
);
create index file_holds_by_age on file_holds (until);

-- Keys that lost a name. Whoever drops such a file claims its row before it looks for other names;
-- whoever keeps a file waits until it is not claimed, after its own row has been committed.
create table file_drops (
    key text primary key,
    -- When to look, or to look again if a claim was left behind.
    due_at timestamptz not null default now(),
    claim_id uuid,
    -- Another name was lost while it was claimed.
    again boolean not null default false
);
create index file_drops_due on file_drops (due_at);

create index tracks_of_cover on tracks (cover_key) where cover_key is not null;
create index tracks_of_small_cover on tracks (cover_small_key) where cover_small_key is not null;
create index rendition_segments_of_flac on rendition_segments (flac_key);
create index rendition_segments_of_opus on rendition_segments (opus_key);

-- Homes ask every second what was deleted lately.
create index tracks_deleted on tracks (deleted_at) where deleted_at is not null;

alter table tracks add column genre text not null default '';
