// Package load asks a server for updates as fast or as often as it is told, over
// real connections, and says how long the answers took and what they were. It
// knows how machines speak and nothing of what answers them: it works against
// any address, and takes as little of a shared machine as it can.
package load
