package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func healthCommand(p process) *cobra.Command {
	var address, listen, cert string
	var timeout time.Duration
	cmd := command("health", "check the health of a running server", `
Exits with an error if the server is not healthy, as a container's health check
requires. Without --url it checks the server on this machine at --listen.`,
		func(cmd *cobra.Command) error {
			client, scheme := http.DefaultClient, "http"
			if cert != "" {
				var err error
				if client, err = clientOf(cert); err != nil {
					return err
				}
				scheme = "https"
			}
			if address == "" {
				address = scheme + strings.TrimPrefix(localURL(listen), "http")
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			text, err := askHealth(ctx, client, address)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.Stdout, visibleLines(text))
			return err
		})
	cmd.Flags().StringVar(&address, "url", "", "server URL, such as http://localhost:8000")
	cmd.Flags().StringVar(&listen, "listen", defaultListen, "--listen of the server")
	cmd.Flags().StringVar(&cert, "tls-cert", "", "--tls-cert of the server: uses TLS, and trusts this certificate only")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "maximum time to wait for the response")
	return cmd
}

// askHealth returns the response text of a healthy server.
func askHealth(ctx context.Context, client *http.Client, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+healthPath, nil)
	if err != nil {
		return "", fmt.Errorf("--url: %w", err)
	}
	resp, err := client.Do(req)
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

// clientOf returns a client that trusts the first certificate of a file, whatever name
// the server is reached by.
func clientOf(file string) (*http.Client, error) {
	data, err := os.ReadFile(file) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("--tls-cert: %s contains no certificate in PEM", file)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // the certificate itself is compared
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("the server has another certificate than --tls-cert")
			}
			return nil
		},
	}}}, nil
}
