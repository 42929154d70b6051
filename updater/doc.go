// Package updater updates a program through an Omaha server: CoreRoller (also its
// release 1.0) or Nebraska. It imports only the standard library, so any program can
// use it.
//
// A program that updates itself calls New first of all, then Run in a goroutine:
//
//	u, err := updater.New(updater.Options{
//		URL: "https://updates.example.com/v1/update/", AppID: "io.example.tool", Track: "stable",
//		Version: version, Dir: "/var/lib/tool", Probe: []string{"-version"}, ConfirmAfter: time.Minute,
//	})
//	if errors.Is(err, updater.ErrRestart) {
//		return updater.Exec(os.Args, os.Environ()) // the old version was put back
//	}
//	...
//	err = u.Run(ctx) // ErrRestart: the new version is in place
//
// Run checks, downloads, verifies, installs, and returns ErrRestart; the program then
// calls Exec, or exits so that its supervisor starts it again. The new version is on
// trial until Confirm. If it does not confirm in time, or starts more than TrialStarts
// times without that, the old version is put back, and the server is sent the event
// "rolled back", on which it halts the rollout. Only a process can put a file back, so
// a new version that ends at once needs a supervisor that starts it again, such as
// systemd with Restart=always. Probe finds files that cannot run at all before they
// replace anything.
//
// With Options.Restart the updater replaces the file of another program and runs its
// trial itself. The command "coreroller agent" works in this way.
//
// Check, Update.Download and Update.Install are the steps of Run, for programs that
// decide about each.
//
// # Events
//
// The server is sent, as Omaha events (type/result): 13/1 when a download begins, 14/1
// when the file is complete and verified, 800/1 when it is in place, 3/2 with the new
// version when it is confirmed, and 3/0 with an error code for a failure: 9 transfer,
// 10 digest, 11 size, 14 disk, 5 installation, 44 the old version was put back. An event
// is on disk before it is sent and leaves the disk when the server has answered it. So
// none is lost by a crash, and one may be sent twice.
//
// # Systems
//
// A running executable is replaced on Linux, macOS and the BSDs. On Windows Check and
// Download work, Install and Exec return errors.ErrUnsupported.
package updater
