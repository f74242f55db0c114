-- name: create_table
-- Which migrations this database has; the table that has to be there before the first of them.
create table if not exists schema_migrations (
    version int primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
);

-- name: wait_for_locks
-- How long this connection waits for a lock.
select set_config('lock_timeout', :duration, false);

-- name: end_with_us
-- The statement of a migrator that was killed ends, too, and does not hold the lock till it is done.
select set_config('client_connection_check_interval', '1s', false);

-- name: lock
-- One migrator at a time in a database; freed when the connection closes.
select pg_advisory_lock(:key) is null as locked;

-- name: applied
select version, name, checksum from schema_migrations order by version;

-- name: record
insert into schema_migrations (version, name, checksum) values (:version, :name, :checksum);
