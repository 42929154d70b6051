// Package acceptance contains the acceptance tests of CoreRoller. They send Omaha
// requests and check the answers and the state that the API reads. Each case and
// each promise of docs/promises.md has its own test, which runs on SQLite and
// PostgreSQL.
//
// Tests set the clock and run background work explicitly, so none depends on the
// system time. After every test all counters are compared with a recount of the
// machines.
package acceptance
