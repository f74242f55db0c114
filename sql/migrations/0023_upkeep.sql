-- What has run out is found by its age, not by reading all rows.
create index logins_by_use on logins (last_used_at);
create index room_audit_by_age on room_audit (at_ms);
