-- A message can change: whom it names, and how people reacted to it while it was among the last.
-- A deleted one keeps its row, empty, so that replies have something to point at.
alter table chat_messages
    add column mentions jsonb not null default '[]',
    add column reactions jsonb not null default '{}';
