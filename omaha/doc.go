// Package omaha is the HTTP endpoint for machines. It translates between the Omaha
// protocol, version 3.0 in XML, and package fleet: a request becomes one
// checkin.CheckIn per application, and the answers become one response. It decides
// and stores nothing.
//
// # Sources
//
// The message format is that of Google's "Omaha Server Protocol V3"
// (github.com/google/omaha, doc/ServerProtocolV3.md), with the extensions of
// CoreOS's and Flatcar's update_engine 0.4.10 (track, board, machineid,
// machinealias, oem, oemversion, alephversion, the postinstall action,
// PollInterval) and of Nebraska's syncer (multi_manifest_ok, is_floor,
// floor_reason, is_target). Where they differ, update_engine takes precedence,
// because a machine that rejects a response cannot be repaired remotely.
//
// # Responses
//
// Every well-formed request gets HTTP 200, also if there is no update.
//
//   - A hold is app status ok and updatecheck noupdate, with the reason in the
//     attribute info. update_engine reports a failure on every check for any other
//     updatecheck status and for a missing updatecheck.
//   - An unknown application or group, or an invalid version or machine id, is an
//     app status error-…, which go-omaha and Google's client evaluate. An update
//     check also gets noupdate, because update_engine evaluates only that. Ping and
//     events are not acknowledged then, because they were not stored.
//   - The applications of a request are answered in order and independently. If the
//     fleet fails for some of them, those get error-internal. If it fails for all,
//     the response is HTTP 500, and update_engine doubles its poll interval. A
//     failure for a machine with one application is always HTTP 500.
//   - If the fleet is overloaded or stopping, the whole request gets HTTP 503, with
//     the same effect. Repeating a request is harmless, because grants and events
//     are idempotent.
//   - Invalid input gets 400 with one line of text, and input that is too large
//     413. The limits are in parse.go.
//
// Responses are never compressed: update_engine cannot read a compressed body, and
// a response has about one kilobyte.
package omaha
