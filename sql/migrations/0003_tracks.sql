-- Playable things. The bytes lie in the media storage under storage_key (content-addressed).
create table tracks (
    track_id uuid primary key,
    uploaded_by uuid references users on delete set null,
    room_id uuid,
    title text not null,
    artist text not null default '',
    album text not null default '',
    duration_ms bigint not null,
    -- Exact length at 48 kHz: what schedules are computed from.
    duration_samples bigint not null,
    media_type text not null,
    size_bytes bigint not null,
    content_hash text not null,
    storage_key text not null,
    cover_key text,
    cover_media_type text,
    created_at timestamptz not null default now(),
    deleted_at timestamptz
);
create index tracks_by_age on tracks (created_at desc, track_id);
create index tracks_of_uploader on tracks (uploaded_by, created_at desc);
create index tracks_of_content on tracks (content_hash);
