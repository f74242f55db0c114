-- Sign-in by e-mail finds every account that claims the address, also those whose claim is second.
create index users_by_email on users (email) where email is not null;
