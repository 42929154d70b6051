package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func healthCommand(p process) *cobra.Command {
	var address, listen string
	var timeout time.Duration
	cmd := command("health", "check the health of a running server", `
Exits with an error if the server is not healthy, as a container's health check
requires. Without --url it checks the server on this machine at --listen.`,
		func(cmd *cobra.Command) error {
			if address == "" {
				address = localURL(listen)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			text, err := askHealth(ctx, address)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.Stdout, text)
			return err
		})
	cmd.Flags().StringVar(&address, "url", "", "server URL, such as http://localhost:8000")
	cmd.Flags().StringVar(&listen, "listen", defaultListen, "--listen of the server")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "maximum time to wait for the response")
	return cmd
}

// askHealth returns the response text of a healthy server.
func askHealth(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+healthPath, nil)
	if err != nil {
		return "", fmt.Errorf("--url: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	const maxBody = 4 << 10
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s returned %s: %s", req.URL, resp.Status, text)
	}
	return text, nil
}

// healthPath returns 200 while the database responds.
const healthPath = "/healthz"
