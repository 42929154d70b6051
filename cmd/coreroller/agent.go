package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/updater"
)

// agentOptions are the flags of coreroller agent.
type agentOptions struct {
	updater.Options
	command, check, probe string // of a shell
	secretFile            string
	tls                   updater.TLSFiles
	once                  bool
}

func agentCommand(p process) *cobra.Command {
	var o agentOptions
	cmd := command("agent", "keep a file of this machine at the version of its group", `
Checks for updates of one file, such as a program in any language, downloads and
verifies them, replaces the file and runs --command to restart the program. Then
--confirm-after passes and --check decides once, by its exit code, whether the new
version works. If it does not, or if --command fails, the old file is put back,
--command runs again, and the server is sent the failure, on which it can halt the
rollout. The agent continues after a crash or a power failure at any step.

--command and --check are run by sh with COREROLLER_FILE and COREROLLER_VERSION
(of the file in place) in their environment. docs/updater.md has a systemd unit.`,
		func(cmd *cobra.Command) error { return runAgent(cmd.Context(), o, p) })
	f := cmd.Flags()
	f.StringVar(&o.URL, "server", "", "update URL, such as https://updates.example.com/v1/update/")
	f.StringVar(&o.AppID, "app", "", "application id or product id")
	f.StringVar(&o.Track, "group", "", "track of the group")
	f.StringVar(&o.File, "file", "", "file to update; FILE.new and FILE.old beside it are used as well")
	f.StringVar(&o.Version, "version", "0.0.0", "version of the file before the first update, or if it was replaced by hand")
	f.StringVar(&o.command, "command", "", "restarts the program after the file was replaced, such as \"systemctl restart x\"")
	f.StringVar(&o.check, "check", "", "succeeds if the new version works")
	f.StringVar(&o.probe, "probe", "", "arguments with which the new file is run first: it must succeed and print its version, such as --version")
	f.DurationVar(&o.ConfirmAfter, "confirm-after", 30*time.Second, "time between --command and --check")
	f.DurationVar(&o.Interval, "interval", 0, "time between two checks, if the server sends none; 0: 45 minutes")
	f.StringVar(&o.Dir, "state-dir", "/var/lib/coreroller-agent", "directory for the state and downloads; each file needs its own")
	f.StringVar(&o.secretFile, "secret-file", "", "file with the machine secret (crm_…)")
	f.StringVar(&o.tls.CA, "ca-file", "", "certificates in PEM that the server's may be signed by, instead of those of the system")
	f.StringVar(&o.tls.Cert, "client-cert", "", "certificate of the machine in PEM, if the group requires one; read again for each connection")
	f.StringVar(&o.tls.Key, "client-key", "", "key of --client-cert in PEM")
	f.StringVar(&o.MachineID, "machine-id", "", "id of the machine; default: a random one that --state-dir keeps")
	f.StringVar(&o.Alias, "alias", "", "name of the machine in the dashboard; default: its host name")
	f.StringToStringVar(&o.Attributes, "attribute", nil, "further attribute of the machine, such as rack=3; the server keeps those that the application names")
	f.BoolVar(&o.once, "once", false, "check once and exit, for a timer")
	return cmd
}

func runAgent(ctx context.Context, o agentOptions, p process) (err error) {
	for _, required := range []struct{ flag, value string }{{"--server", o.URL}, {"--app", o.AppID}, {"--file", o.File}} {
		if required.value == "" {
			return fmt.Errorf("%s is missing", required.flag)
		}
	}
	if o.secretFile != "" {
		secret, err := os.ReadFile(o.secretFile)
		if err != nil {
			return fmt.Errorf("--secret-file: %w", err)
		}
		o.Secret = strings.TrimSpace(string(secret))
	}
	if o.tls != (updater.TLSFiles{}) {
		if o.HTTPClient, err = updater.NewHTTPClient(o.tls); err != nil {
			return err
		}
		defer o.HTTPClient.CloseIdleConnections()
	}
	if o.Alias == "" {
		o.Alias, _ = os.Hostname()
	}
	if o.probe != "" {
		o.Probe = strings.Fields(o.probe)
	}
	var u *updater.Updater
	shell := func(ctx context.Context, line string) error {
		cmd := exec.CommandContext(ctx, "sh", "-c", line) //nolint:gosec // G204: the operator's own command
		cmd.Env = append(os.Environ(), "COREROLLER_FILE="+o.File, "COREROLLER_VERSION="+u.Installed())
		cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
		const grace = 5 * time.Second // for output of processes that it leaves behind
		cmd.WaitDelay = grace
		if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
			return fmt.Errorf("%s: %w", line, err)
		}
		return nil
	}
	o.Restart = func(ctx context.Context) error {
		if o.command == "" {
			return nil
		}
		return shell(ctx, o.command)
	}
	if o.check != "" {
		o.Healthy = func(ctx context.Context) error { return shell(ctx, o.check) }
	}
	o.OnProgress = func(step updater.Progress) { _, _ = fmt.Fprintln(p.Stdout, sentence(step)) }
	if u, err = updater.New(o.Options); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, u.Close()) }()
	if o.once {
		return u.Once(ctx)
	}
	return u.Run(ctx)
}

// sentence describes a step in one line.
func sentence(p updater.Progress) string {
	switch p.Step {
	case updater.StepUpToDate:
		if p.Reason == "" {
			return "no update"
		}
		return "no update: " + p.Reason
	case updater.StepDownloading:
		return fmt.Sprintf("downloading %s: %d of %d bytes", p.Version, p.Done, p.Size)
	case updater.StepFailed:
		return fmt.Sprintf("failed: %v", p.Err)
	}
	return fmt.Sprintf("%s %s", p.Step, p.Version)
}
