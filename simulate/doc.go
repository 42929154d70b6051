// Package simulate runs fleets of simulated machines against a server. Each
// machine checks for updates over HTTP exactly as update_engine or Nebraska's
// updater library does, but downloads nothing and lives in accelerated time.
//
// The package does not know what answers: it works against any URL. It
// deliberately does not import package omaha, the server's side of the protocol,
// so that a mistake on one side does not cancel out on the other.
//
// Package load sends much simpler requests at a high rate, to measure a server.
// Package demo fills a server with sample data and runs machines in it.
package simulate
