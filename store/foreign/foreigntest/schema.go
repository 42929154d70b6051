// Package foreigntest makes databases as Nebraska and CoreRoller 1.0 have them, for
// tests of imports.
package foreigntest

import "strings"

// Shape is a program and its version.
type Shape int

// The shapes.
const (
	Nebraska    Shape = iota // the newest schema
	OldNebraska              // before aliases of machines
	CoreRoller               // CoreRoller 1.0
)

// newest are the parts of a definition that only the newest schema has; they are marked
// by [N: and ]. Those marked by [T: have also older ones of Nebraska.
const tables = `
CREATE TABLE database_migrations (id text PRIMARY KEY, applied_at timestamptz);
CREATE TABLE team (id uuid PRIMARY KEY, name varchar(100) NOT NULL, created_ts timestamptz NOT NULL DEFAULT now());
CREATE TABLE users (id uuid PRIMARY KEY, username varchar(25) NOT NULL UNIQUE, secret varchar(50) NOT NULL, created_ts timestamptz NOT NULL DEFAULT now(), team_id uuid NOT NULL REFERENCES team);
CREATE TABLE application (id uuid PRIMARY KEY, name varchar(50) NOT NULL, description text, created_ts timestamptz NOT NULL DEFAULT now(), team_id uuid NOT NULL REFERENCES team[N:, product_id varchar(155)]);
CREATE TABLE package (id uuid PRIMARY KEY, type int NOT NULL, version varchar(255) NOT NULL, url varchar(256) NOT NULL, filename varchar(100), description text,
	size varchar(20), hash varchar(64), created_ts timestamptz NOT NULL DEFAULT now(), application_id uuid NOT NULL REFERENCES application[T:, arch int NOT NULL DEFAULT 0]);
CREATE TABLE @action (id uuid PRIMARY KEY, event varchar(20) DEFAULT 'postinstall', chromeos_version varchar(255) DEFAULT '', sha256 varchar(64), needs_admin boolean DEFAULT false,
	is_delta boolean DEFAULT false, disable_payload_backoff boolean DEFAULT true, metadata_signature_rsa varchar(256) DEFAULT '', metadata_size varchar(100) DEFAULT '',
	deadline varchar(100) DEFAULT '', created_ts timestamptz NOT NULL DEFAULT now(), package_id uuid NOT NULL REFERENCES package);
CREATE TABLE channel (id uuid PRIMARY KEY, name varchar(25) NOT NULL, color varchar(25) NOT NULL, created_ts timestamptz NOT NULL DEFAULT now(),
	application_id uuid NOT NULL REFERENCES application, package_id uuid REFERENCES package[T:, arch int NOT NULL DEFAULT 0]);
CREATE TABLE package_channel_blacklist (package_id uuid NOT NULL REFERENCES package, channel_id uuid NOT NULL REFERENCES channel);
CREATE TABLE groups (id uuid PRIMARY KEY, name varchar(50) NOT NULL, description text NOT NULL, [O:rollout_in_progress boolean NOT NULL DEFAULT false, ]created_ts timestamptz NOT NULL DEFAULT now(),
	policy_updates_enabled boolean NOT NULL, policy_safe_mode boolean NOT NULL, policy_office_hours boolean NOT NULL, policy_timezone varchar(40),
	policy_period_interval varchar(20) NOT NULL, policy_max_updates_per_period int NOT NULL, policy_update_timeout varchar(20) NOT NULL,
	application_id uuid NOT NULL REFERENCES application, channel_id uuid REFERENCES channel[T:, track varchar(256) NOT NULL DEFAULT 'missing']);
CREATE TABLE instance (id varchar(50) PRIMARY KEY, ip inet NOT NULL, created_ts timestamptz NOT NULL DEFAULT now()[N:, alias varchar(256) DEFAULT '', oem varchar(256) NOT NULL DEFAULT '', aleph_version varchar(256) NOT NULL DEFAULT '']);
CREATE TABLE instance_application (version varchar(255) NOT NULL, created_ts timestamptz NOT NULL DEFAULT now(), status int, last_check_for_updates timestamptz NOT NULL,
	last_update_granted_ts timestamptz, last_update_version varchar(255), update_in_progress boolean NOT NULL DEFAULT false,
	instance_id varchar(50) NOT NULL REFERENCES instance, application_id uuid NOT NULL REFERENCES application, group_id uuid REFERENCES groups, PRIMARY KEY (instance_id, application_id));
CREATE TABLE instance_status_history (id serial PRIMARY KEY, status int, version varchar(255), created_ts timestamptz NOT NULL DEFAULT now(),
	instance_id varchar(50) NOT NULL REFERENCES instance, application_id uuid NOT NULL REFERENCES application, group_id uuid REFERENCES groups);
CREATE TABLE event_type (id serial PRIMARY KEY, type int NOT NULL, result int NOT NULL, description varchar(100));
INSERT INTO event_type (type, result) VALUES (3, 0), (3, 1), (3, 2), (13, 1), (14, 1), (800, 1);
CREATE TABLE event (id serial PRIMARY KEY, created_ts timestamptz NOT NULL DEFAULT now(), previous_version varchar(255), error_code varchar(100),
	instance_id varchar(50) NOT NULL REFERENCES instance, application_id uuid NOT NULL REFERENCES application, event_type_id int NOT NULL REFERENCES event_type);
`

const newest = `
CREATE TABLE package_file (id serial PRIMARY KEY, package_id uuid NOT NULL REFERENCES package, name varchar(250) NOT NULL, hash varchar(250), size varchar(100), created_ts timestamptz NOT NULL DEFAULT now(), hash256 varchar(64) NOT NULL DEFAULT '');
CREATE TABLE channel_package_floors (channel_id uuid NOT NULL REFERENCES channel, package_id uuid NOT NULL REFERENCES package, floor_reason text, created_ts timestamptz DEFAULT now());
CREATE TABLE group_local (group_id uuid PRIMARY KEY REFERENCES groups, rollout_in_progress boolean NOT NULL DEFAULT false, policy_updates_enabled_override boolean, policy_safe_mode_override boolean,
	policy_office_hours_override boolean, policy_timezone_override varchar(40), policy_period_interval_override varchar(20), policy_max_updates_per_period_override int,
	policy_update_timeout_override varchar(20), created_ts timestamptz NOT NULL DEFAULT now());
CREATE TABLE activity (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), created_ts timestamptz NOT NULL DEFAULT now(), class int NOT NULL, severity int NOT NULL, version varchar(255) NOT NULL,
	application_id uuid NOT NULL, group_id uuid, instance_id varchar(50));
CREATE TABLE admin_activity (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), created_ts timestamptz NOT NULL DEFAULT now(), class int NOT NULL, severity int NOT NULL, version varchar(255) NOT NULL,
	application_id uuid NOT NULL, group_id uuid, channel_id uuid);
CREATE VIEW all_activity AS SELECT id, created_ts, class, severity, version, application_id, group_id, NULL::uuid AS channel_id, instance_id FROM activity
	UNION ALL SELECT id, created_ts, class, severity, version, application_id, group_id, channel_id, NULL FROM admin_activity;
CREATE TABLE instance_stats (timestamp timestamptz NOT NULL, channel_name varchar(25) NOT NULL, arch varchar(7) NOT NULL, version varchar(255) NOT NULL, instances int NOT NULL);
`

const older = `
CREATE TABLE activity (id serial PRIMARY KEY, created_ts timestamptz NOT NULL DEFAULT now(), class int NOT NULL, severity int NOT NULL, version varchar(255) NOT NULL,
	application_id uuid NOT NULL, group_id uuid, channel_id uuid, instance_id varchar(50));
`

// schema returns the definitions of a shape.
func (s Shape) schema() string {
	text := tables
	for mark, has := range map[string]bool{"[N:": s == Nebraska, "[T:": s != CoreRoller, "[O:": s != Nebraska} {
		for {
			from := strings.Index(text, mark)
			if from < 0 {
				break
			}
			to := from + strings.Index(text[from:], "]")
			inner := ""
			if has {
				inner = text[from+len(mark) : to]
			}
			text = text[:from] + inner + text[to+1:]
		}
	}
	action, rest := "flatcar_action", older
	if s == CoreRoller {
		action = "coreos_action"
	}
	if s == Nebraska {
		rest = newest
	}
	return strings.ReplaceAll(text, "@action", action) + rest
}
