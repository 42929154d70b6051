// Package simulate runs fleets of simulated machines against a server. Each
// machine checks for updates over HTTP exactly as update_engine or Nebraska's
// updater library does, but downloads nothing and uses accelerated time.
//
// The package works with any server: it needs only a URL. It deliberately does not
// import package omaha, the server's side of the protocol, so that a mistake in one
// of them makes a test fail.
//
// Package load sends much simpler requests at a high rate, to measure a server.
// Package demo fills a server with sample data and runs machines in it. Package year
// runs a server through a year in simulated time.
package simulate
