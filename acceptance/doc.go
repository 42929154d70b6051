// Package acceptance holds the cases that CoreRoller is accepted by, as tests
// and nothing else: Omaha requests go in, answers and what the API reads come
// out. Each case and each promise of the engine is one named test, and runs on
// SQLite and on PostgreSQL.
//
// Nothing waits for a clock on the wall: time is moved by hand and background
// work is done when a test says so. After every test all counters are compared
// with a recount of the machines.
package acceptance
