package foreigntest

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Well-known ids in the databases.
const (
	App      = "e96281a6-d1af-4bde-9a0a-97b76e56dc57" // the operating system
	Program  = "aaaaaaaa-0000-4000-8000-000000000001" // packages of other types; only Nebraska
	Team     = "d89342dc-9214-441d-a4af-bdd837a3b239"
	Old      = "bbbbbbbb-0000-4000-8000-000000000001" // package 1.0.0
	New      = "bbbbbbbb-0000-4000-8000-000000000002" // package 2.0.0, the one of Channel
	Bad      = "bbbbbbbb-0000-4000-8000-000000000003" // blacklisted
	Unusable = "bbbbbbbb-0000-4000-8000-000000000004" // its version is none
	Channel  = "e06064ad-4414-4904-9a6e-fd465593d1b2"
	Group    = "9a2deb70-37be-4026-853f-bfdd6b347bbe" // runs
	Twin     = "cccccccc-0000-4000-8000-000000000002" // has the track of Group, a broken policy
	Stopped  = "cccccccc-0000-4000-8000-000000000003" // disabled after a failure; no channel
	Syncer   = "{dddddddd-0000-4000-8000-000000000001}"
)

// Machine returns the id of machine n. See Status.
func Machine(n int) string { return fmt.Sprintf("%032x", n) }

// statuses are what machines do, by their number: none, granted, downloading,
// downloaded, installed, complete, on hold, failed.
var statuses = []int{0, 2, 7, 6, 5, 4, 8, 3}

// Status returns what machine n does.
func Status(n int) int { return statuses[n%len(statuses)] }

// Size of the payload and its SHA-256 in base64.
const (
	size   = 154967458
	digest = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=" // of "hello"
)

// Fill creates the tables of a shape in an empty PostgreSQL database, with machines of
// which each was last seen a few minutes before now, and with everything that is odd.
func Fill(t testing.TB, databaseURL string, s Shape, machines int) {
	t.Helper()
	db, err := sql.Open("postgres", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	for _, text := range []string{s.schema(), s.configuration(), s.oddities(), fleet(machines), s.machines()} {
		if _, err := db.ExecContext(ctx, s.fit(text)); err != nil {
			t.Fatalf("fill the database of another server: %v\n%.300s", err, text)
		}
	}
}

// Run runs a statement in the database.
func Run(t testing.TB, databaseURL, text string) {
	t.Helper()
	db, err := sql.Open("postgres", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// fit replaces names in a statement.
func (s Shape) fit(text string) string {
	action := "flatcar_action"
	if s == CoreRoller {
		action = "coreos_action"
	}
	return strings.NewReplacer("@action", action, "@app", App, "@program", Program, "@team", Team, "@old", Old, "@new", New, "@bad", Bad, "@unusable", Unusable,
		"@channel", Channel, "@group", Group, "@twin", Twin, "@stopped", Stopped, "@digest", digest, "@syncer", Syncer).Replace(text)
}

func (s Shape) configuration() string {
	last := map[Shape]int{Nebraska: 23, OldNebraska: 9, CoreRoller: 1}[s]
	return fmt.Sprintf(`INSERT INTO database_migrations SELECT CASE WHEN n = 1 THEN '0001_initial.sql' ELSE lpad(n::text, 4, '0') || '_step.sql' END, now() FROM generate_series(1, %d) n;`, last) + `
INSERT INTO team VALUES ('@team', 'default');
INSERT INTO users VALUES ('eeeeeeee-0000-4000-8000-000000000001', 'ada', '8b31292d4778582c0e5fa96aee5513f1', now(), '@team');
INSERT INTO application (id, name, description, team_id, created_ts) VALUES ('@app', 'Our OS', 'for machines', '@team', now() - interval '400 days');
INSERT INTO package (id, type, version, url, filename, size, hash, application_id, created_ts) VALUES
	('@old', 1, '1.0.0', 'http://nebraska.example.com/flatcar/', 'update.gz', '154967458', '', '@app', now() - interval '90 days'),
	('@new', 1, '2.0.0', 'https://update.example.com/2.0.0', 'update.gz', '1.54967458e+08', 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d', '@app', now() - interval '30 days'),
	('@bad', 1, '1.5.0', 'https://update.example.com/1.5.0/', 'update.gz', 'big', 'what', '@app', now() - interval '40 days'),
	('@unusable', 1, 'latest', 'https://update.example.com/latest/', 'update.gz', '1', '', '@app', now() - interval '20 days');
INSERT INTO @action (id, sha256, package_id, created_ts) VALUES (gen_random_uuid(), '@digest', '@old', now()), (gen_random_uuid(), '@digest', '@new', now() - interval '2 days'),
	(gen_random_uuid(), 'other', '@new', now() - interval '1 day');
INSERT INTO channel (id, name, color, application_id, package_id) VALUES ('@channel', 'stable', '#14b9d6', '@app', '@new');
INSERT INTO package_channel_blacklist VALUES ('@bad', '@channel');
INSERT INTO groups (id, name, description, policy_updates_enabled, policy_safe_mode, policy_office_hours, policy_timezone, policy_period_interval, policy_max_updates_per_period, policy_update_timeout, application_id, channel_id, created_ts) VALUES
	('@group', 'Stable', 'most machines', true, false, false, 'Europe/Berlin', '15 minutes', 900000, '1 days', '@app', '@channel', now() - interval '300 days'),
	('@twin', 'Twin', '', true, true, true, 'Mars/Base', 'abc', 0, '-1 hours', '@app', '@channel', now() - interval '200 days'),
	('@stopped', 'Stopped', '', false, false, false, 'UTC', '1:30:00', 2, '2 mons', '@app', NULL, now() - interval '100 days');
INSERT INTO activity (class, severity, version, application_id, group_id, created_ts) VALUES (4, 4, '1.5.0', '@app', '@stopped', now() - interval '3 days'), (3, 1, '1.0.0', '@app', '@group', now() - interval '4 days'),
	(2, 2, '9', '@app', NULL, now() - interval '2 years');
INSERT INTO activity (class, severity, version, application_id, group_id, created_ts) SELECT 1, 3, '0.0.0', '@app', '@stopped', date_trunc('day', now()) - interval '2 days' + n * interval '1 minute' FROM generate_series(1, 50) n;
`
}

// oddities are what only Nebraska has.
func (s Shape) oddities() string {
	text := ""
	if s != CoreRoller {
		text += "UPDATE channel SET arch = 1; UPDATE package SET arch = 1 WHERE id <> '@bad'; UPDATE groups SET track = 'stable' WHERE id IN ('@group', '@twin');"
	}
	if s == Nebraska {
		text += `
UPDATE application SET product_id = 'com.example.os';
INSERT INTO application (id, name, team_id) VALUES ('@program', 'Agent', '@team');
INSERT INTO package (id, type, version, url, filename, size, application_id, arch) VALUES ('bbbbbbbb-0000-4000-8000-000000000011', 4, '10.0.19045.3803', 'https://update.example.com/agent', 'agent', '7', '@program', 0);
INSERT INTO channel (id, name, color, application_id, package_id, arch) VALUES ('bbbbbbbb-0000-4000-8000-000000000012', 'all', 'blue', '@program', 'bbbbbbbb-0000-4000-8000-000000000011', 0);
INSERT INTO package_file (package_id, name, hash, size, hash256) VALUES ('@new', 'oem-azure.gz', 'qvTGHdzF6KLavt4PO0gs2a6pQ00=', '5', '@digest'), ('@new', 'second.gz', '', '6', '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
INSERT INTO channel_package_floors VALUES ('@channel', '@old', 'migrates the disk');
INSERT INTO group_local (group_id, policy_max_updates_per_period_override) VALUES ('@stopped', 7);
INSERT INTO admin_activity (class, severity, version, application_id, channel_id) VALUES (6, 2, '2.0.0', '@app', '@channel');
INSERT INTO instance_stats VALUES (now(), 'stable', 'amd64', '1.0.0', 5);
`
	}
	return text
}

// fleet adds machines to the application, and one syncer.
func fleet(machines int) string {
	return fmt.Sprintf(`
INSERT INTO instance (id, ip, created_ts) SELECT lpad(to_hex(n), 32, '0'), ('10.' || n / 65536 %% 256 || '.' || n / 256 %% 256 || '.' || n %% 256)::inet, now() - interval '60 days' FROM generate_series(0, %[1]d - 1) n;
INSERT INTO instance_application (instance_id, application_id, group_id, version, created_ts, status, last_check_for_updates, last_update_granted_ts, last_update_version, update_in_progress)
	SELECT lpad(to_hex(n), 32, '0'), '@app', CASE WHEN n %% 50 = 8 THEN NULL WHEN n %% 10 = 9 THEN '@twin'::uuid ELSE '@group'::uuid END,
		CASE WHEN n %% 8 = 5 THEN '2.0.0' ELSE '1.0.0' END, now() - interval '60 days',
		NULLIF((ARRAY[0, 2, 7, 6, 5, 4, 8, 3])[n %% 8 + 1], 0), date_trunc('second', now()) - (n %% 300) * interval '1 second',
		CASE WHEN n %% 8 NOT IN (0, 6) THEN now() - interval '20 minutes' END, CASE WHEN n %% 8 NOT IN (0, 6) THEN '2.0.0' END, n %% 8 IN (1, 2, 3, 4)
	FROM generate_series(0, %[1]d - 1) n;
INSERT INTO instance_status_history (status, version, created_ts, instance_id, application_id, group_id)
	SELECT h.status, h.version, now() - h.ago, lpad(to_hex(n), 32, '0'), '@app', CASE WHEN n %% 10 = 9 THEN '@twin'::uuid ELSE '@group'::uuid END
	FROM generate_series(0, %[1]d - 1) n, (VALUES (8, NULL, interval '10 days', ARRAY[0,1,2,3,4,5,6,7]), (2, '1.0.0', interval '9 days', ARRAY[1,2,3,4,5,7]), (4, '1.0.0', interval '8 days', ARRAY[1,2,3,4,5,7]),
		(2, '2.0.0', interval '20 minutes', ARRAY[1,2,3,4,5,7]), (7, '2.0.0', interval '15 minutes', ARRAY[2,3,4,5,7]), (6, '2.0.0', interval '12 minutes', ARRAY[3,4,5]),
		(5, '2.0.0', interval '10 minutes', ARRAY[4,5]), (4, '2.0.0', interval '5 minutes', ARRAY[5]), (3, '2.0.0', interval '5 minutes', ARRAY[7]), (8, '0.1.0', interval '300 days', ARRAY[0])
	) AS h(status, version, ago, kinds) WHERE n %% 8 = ANY (h.kinds) ORDER BY n, h.ago DESC;
INSERT INTO event (created_ts, error_code, instance_id, application_id, event_type_id)
	SELECT now() - interval '5 minutes', CASE n %% 3 WHEN 0 THEN '-268435419' ELSE '37' END, lpad(to_hex(n), 32, '0'), '@app', 1 FROM generate_series(0, %[1]d - 1) n WHERE n %% 8 = 7;
INSERT INTO instance (id, ip) VALUES ('@syncer', '192.0.2.1');
INSERT INTO instance_application (instance_id, application_id, group_id, version, last_check_for_updates) VALUES ('@syncer', '@app', '@group', '2.0.0', now());
INSERT INTO activity (class, severity, version, application_id, group_id, instance_id) VALUES (5, 4, '2.0.0', '@app', '@group', lpad('7', 32, '0'));
`, machines)
}

// machines are what only the newest schema has.
func (s Shape) machines() string {
	if s != Nebraska {
		return "SELECT 1"
	}
	return "UPDATE instance SET alias = 'first', oem = 'azure', aleph_version = '0.9.0' WHERE id = lpad('0', 32, '0')"
}
