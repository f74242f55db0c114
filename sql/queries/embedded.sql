-- name: is_ready
-- Whether the server takes writes.
select not pg_is_in_recovery() as ready;
