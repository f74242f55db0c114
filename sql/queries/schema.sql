-- name: columns
-- Every column of every table, in the order of declaration.
select c.relname::text as in_table, a.attname::text as name,
    format_type(a.atttypid, a.atttypmod) as pg_type, a.attnotnull as is_required,
    a.attidentity = 'a' as is_identity, pg_get_expr(d.adbin, d.adrelid) as default_value
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
order by c.relname collate "C", a.attnum;

-- name: constraints
-- Keys and checks. PostgreSQL 18 keeps `not null` among them: those are said with the columns.
select t.relname::text as in_table, c.conname::text as name, pg_get_constraintdef(c.oid) as definition
from pg_constraint c join pg_class t on t.oid = c.conrelid
where c.connamespace = 'public'::regnamespace and c.contype <> 'n'
order by t.relname collate "C", c.contype <> 'p', c.conname collate "C";

-- name: indexes
-- Those that no constraint made.
select t.relname::text as in_table, pg_get_indexdef(i.indexrelid) as definition
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_class t on t.oid = i.indrelid
where c.relnamespace = 'public'::regnamespace
    and not exists (select from pg_constraint o where o.conindid = i.indexrelid)
order by t.relname collate "C", c.relname collate "C";

-- name: others
-- What sql/schema.py has no words for yet.
select relkind::text || ' ' || relname as what from pg_class
where relnamespace = 'public'::regnamespace and relkind not in ('r', 'i', 'S')
union all
select 'function ' || proname from pg_proc p
where pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
union all
select 'trigger ' || tgname from pg_trigger where not tgisinternal
union all
select 'type ' || typname from pg_type
where typnamespace = 'public'::regnamespace and typtype in ('d', 'e', 'r')
order by what;
