-- name: settings
-- Whether what is committed survives a power cut, whether writes are taken, and what time it is.
select current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off' as takes_writes,
    (extract(epoch from clock_timestamp()) * 1000)::float8 as database_ms;
