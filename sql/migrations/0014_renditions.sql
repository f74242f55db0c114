-- What is made of a file once, by its content: equal files of several tracks have one rendition.
create table renditions (
    content_hash text primary key,
    -- Null for silence.
    integrated_lufs double precision,
    true_peak_db double precision,
    outline bytea not null,
    created_at timestamptz not null default now()
);

-- Ten seconds each, the last one shorter, numbered from 0 without gaps.
create table rendition_segments (
    content_hash text not null references renditions on delete cascade,
    number integer not null,
    flac_key text not null,
    flac_bytes bigint not null,
    opus_key text not null,
    opus_bytes bigint not null,
    primary key (content_hash, number)
);

-- The cover at 96 x 96; null for tracks that are older than this column.
alter table tracks add column cover_small_key text;

-- Tracks that are there already are analysed as well.
insert into jobs (job_id, kind, user_id, track_id)
select gen_random_uuid(), 'analysis', uploaded_by, track_id from tracks where deleted_at is null;
