-- What somebody heard is there for others to see, unless the person says otherwise.
alter table users add column show_history boolean not null default true;
