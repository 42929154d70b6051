// Package omaha is the endpoint that machines talk to. It knows the words of
// the Omaha protocol, version 3.0 in XML, and nothing else: it turns a request
// into one fleet.CheckIn per application and the fleet's answers into a
// response. Which machine may update, and what is stored, is not known here.
//
// # Sources
//
// The message format is that of Google's "Omaha Server Protocol V3"
// (github.com/google/omaha, doc/ServerProtocolV3.md), with the extensions of
// the CoreOS and Flatcar OS daemon (update_engine 0.4.10: track, board,
// machineid, machinealias, oem, oemversion, alephversion, the postinstall
// action, PollInterval) and of Nebraska's syncer (multi_manifest_ok, is_floor,
// floor_reason, is_target). Where those differ, the OS daemon wins, because its
// machines are the ones that cannot be repaired by hand.
//
// # What the answer says
//
// A request that was understood is answered with HTTP 200, whatever the news.
//
//   - "Not now" is app status ok and updatecheck noupdate, the reason in the
//     attribute info. The OS daemon answers any other updatecheck status, and a
//     missing updatecheck, with a failure report on every poll.
//   - An application, group, version or machine id that cannot be served is an
//     app status error-…, which go-omaha and Google's client look at. If an
//     update check was asked, noupdate goes with it: the OS daemon looks only
//     at that and stays quiet. Ping and events are then not acknowledged,
//     because they were not stored.
//   - Applications of one request are answered in order, each on its own
//     merits. If the fleet fails for one of several, that one gets
//     error-internal and the others their answers. If it fails for all (so, for
//     every machine with one application), the answer is HTTP 500, which makes
//     the OS daemon double its poll interval.
//   - If the fleet is overloaded or stopping, the whole request gets HTTP 503:
//     same effect, and a repeated request is harmless because grants and events
//     are idempotent.
//   - Input that is not an Omaha request gets 400 and one line of text, one
//     that is too large 413. See the limits in codec.go.
//
// Answers are never compressed: the OS daemon takes a compressed body for
// broken XML, and an answer is about a kilobyte.
package omaha
