import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const app = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';
export const group = '9a2deb70-37be-4026-853f-bfdd6b347bbe';

/** The tables and columns of Nebraska that an import reads. */
const tables = `
CREATE TABLE database_migrations (id text PRIMARY KEY);
INSERT INTO database_migrations SELECT lpad(n::text, 4, '0') FROM generate_series(1, 20) n;
CREATE TABLE team (id uuid PRIMARY KEY, name text, created_ts timestamptz DEFAULT now());
CREATE TABLE users (id uuid PRIMARY KEY, username text, team_id uuid, created_ts timestamptz DEFAULT now());
CREATE TABLE application (id uuid PRIMARY KEY, name text, description text, team_id uuid, created_ts timestamptz DEFAULT now());
CREATE TABLE package (id uuid PRIMARY KEY, type int, version text, url text, filename text, description text, size text,
  hash text, application_id uuid, arch int, created_ts timestamptz DEFAULT now());
CREATE TABLE flatcar_action (id uuid PRIMARY KEY, chromeos_version text, sha256 text, needs_admin boolean, is_delta boolean,
  disable_payload_backoff boolean, metadata_signature_rsa text, metadata_size text, deadline text, package_id uuid,
  created_ts timestamptz DEFAULT now());
CREATE TABLE channel (id uuid PRIMARY KEY, name text, color text, application_id uuid, package_id uuid, arch int,
  created_ts timestamptz DEFAULT now());
CREATE TABLE groups (id uuid PRIMARY KEY, name text, description text, rollout_in_progress boolean DEFAULT false,
  policy_updates_enabled boolean, policy_safe_mode boolean DEFAULT false, policy_office_hours boolean DEFAULT false,
  policy_timezone text, policy_period_interval text DEFAULT '1 hours', policy_max_updates_per_period int DEFAULT 10,
  policy_update_timeout text DEFAULT '1 days', application_id uuid, channel_id uuid, track text,
  created_ts timestamptz DEFAULT now());
CREATE TABLE instance (id text PRIMARY KEY, ip inet, created_ts timestamptz DEFAULT now());
CREATE TABLE instance_application (version text, created_ts timestamptz DEFAULT now(), status int,
  last_check_for_updates timestamptz, last_update_granted_ts timestamptz, last_update_version text,
  update_in_progress boolean DEFAULT false, instance_id text, application_id uuid, group_id uuid);
CREATE TABLE instance_status_history (id serial, status int, version text, created_ts timestamptz, instance_id text,
  application_id uuid, group_id uuid);
CREATE TABLE event_type (id serial, type int, result int);
CREATE TABLE event (id serial, created_ts timestamptz, previous_version text, error_code text, instance_id text,
  application_id uuid, event_type_id int);
CREATE TABLE activity (id serial, created_ts timestamptz, class int, severity int, version text, application_id uuid,
  group_id uuid, channel_id uuid, instance_id text);
`;

/** One package that can be offered, 24 whose files are on that server, and one with a name that
 * hides its direction; two groups, of which one does not update. */
const rows = `
INSERT INTO team VALUES ('d89342dc-9214-441d-a4af-bdd837a3b239', 'default');
INSERT INTO users VALUES (gen_random_uuid(), 'ada', 'd89342dc-9214-441d-a4af-bdd837a3b239');
INSERT INTO application VALUES ('${app}', 'Our OS', '', 'd89342dc-9214-441d-a4af-bdd837a3b239');
INSERT INTO package SELECT ('bbbbbbbb-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 1, '1.' || n || '.0',
  'http://nebraska.example.com/flatcar/', 'update-' || n || '.gz', '', '154967458', 'qvTGHdzF6KLavt4PO0gs2a6pQ00=',
  '${app}', 1 FROM generate_series(1, 24) n;
INSERT INTO package VALUES (gen_random_uuid(), 1, E'latest\\u202e0.1', 'https://update.example.com/', 'update.gz', '', '1',
  '', '${app}', 1);
INSERT INTO flatcar_action SELECT gen_random_uuid(), '', 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=', false, false,
  true, '', '', '', id FROM package;
INSERT INTO channel VALUES ('e06064ad-4414-4904-9a6e-fd465593d1b2', 'stable', '#14b9d6', '${app}',
  'bbbbbbbb-0000-4000-8000-000000000024', 1);
INSERT INTO groups (id, name, description, policy_updates_enabled, policy_timezone, application_id, channel_id, track)
  VALUES ('${group}', 'Production', '', true, 'Europe/Berlin', '${app}', 'e06064ad-4414-4904-9a6e-fd465593d1b2', 'stable'),
  (gen_random_uuid(), 'Laboratory', '', false, 'Mars/Base', '${app}', 'e06064ad-4414-4904-9a6e-fd465593d1b2', 'lab');
INSERT INTO instance SELECT lpad(to_hex(n), 32, '0'), '192.0.2.1' FROM generate_series(1, 30) n;
INSERT INTO instance_application (version, status, last_check_for_updates, instance_id, application_id, group_id)
  SELECT '1.23.0', 4, now(), id, '${app}', '${group}' FROM instance;
`;

/** Makes an empty PostgreSQL database look like one of Nebraska. */
export async function fillNebraska(url: string) {
  await promisify(execFile)('psql', [url, '-q', '-v', 'ON_ERROR_STOP=1', '-c', tables + rows]);
}
