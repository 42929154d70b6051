// Package load sends Omaha requests to a server over real connections, at a fixed
// rate or as fast as possible, and measures response times and outcomes. It sends
// what update_engine sends and works with any server. It uses little CPU, because
// it often shares the machine with the server.
package load
