/**
 * The tables of `tstack.db`, for people who open the file with sqlite3 as well. Times are milliseconds since 1970, null
 * for never. `queue` is the number of a session's or a shared subscription's queue, and holds together what is theirs.
 */

/** Version 1. */
export const firstSchema = `
create table session (
  queue integer primary key,
  client_identifier text not null,
  is_v5 integer not null,
  expiry_seconds integer not null,
  expires_at integer,
  is_connected integer not null,
  will_delay_seconds integer, -- null: there is no will
  will_publish_at integer,
  will_topic text,
  will_properties blob,
  will_payload blob,
  will_qos integer,
  will_retain integer,
  will_publisher text,
  will_expires_at integer,
  will_expiry_offset integer
);

create table subscription (
  id integer primary key,
  queue integer not null,
  filter text not null,
  qos integer not null,
  no_local integer not null,
  retain_as_published integer not null,
  retain_handling integer not null,
  identifier integer not null, -- 0: none
  unique (queue, filter)
);

-- QoS 2 packet identifiers that came from a client and are not released yet
create table received (
  queue integer not null,
  packet_identifier integer not null,
  primary key (queue, packet_identifier)
) without rowid;

create table shared (
  queue integer primary key,
  group_name text not null,
  filter text not null
);

create table message (
  id integer primary key,
  reference_count integer not null, -- rows that name it
  topic text not null,
  properties blob not null, -- of PUBLISH in MQTT 5.0, without their length
  payload blob not null,
  qos integer not null,
  retain integer not null,
  publisher text not null, -- its client identifier
  expires_at integer,
  expiry_offset integer -- where the expiry interval stands in topic and properties together
);

-- one message in one queue
create table row (
  queue integer not null,
  position integer not null,
  message integer not null, -- 0: a PUBREL
  qos integer not null,
  retain integer not null,
  subscription_identifiers text not null, -- with commas between them
  packet_identifier integer not null, -- 0: it waits
  bytes integer not null,
  expires_at integer,
  primary key (queue, position)
) without rowid;
create index row_under_way on row (queue, position) where packet_identifier > 0;
create index row_expiring on row (queue, expires_at) where expires_at is not null;

create table retained (
  topic text primary key,
  properties blob not null,
  payload blob not null,
  qos integer not null,
  retain integer not null,
  publisher text not null,
  expires_at integer,
  expiry_offset integer
);
`;

/** Version 2. */
export const userSchema = `
alter table session add column user_name text; -- null: an anonymous client's

-- users, roles and their like
create table record (
  kind text not null,
  name text not null,
  value text not null, -- JSON
  primary key (kind, name)
) without rowid;
`;
