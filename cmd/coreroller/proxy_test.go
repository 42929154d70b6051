package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/coreroller/coreroller/store/storetest"
)

const proxyFiles = "../../scripts/packaging/proxy/"

// testHAProxy runs HAProxy with the file of docker-compose.yml. It spreads machines and
// dashboards over two processes on one PostgreSQL, and goes on with one of them.
func testHAProxy(t *testing.T, binary string) {
	databaseURL := storetest.Postgres(t)
	var servers [2]*child
	for i := range servers {
		servers[i] = startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--database-url", databaseURL, "--trusted-proxies", "127.0.0.1"})
	}
	listen := freeAddress(t)
	environ := []string{"PROXY_LISTEN=" + listen, "SERVER_1=" + strings.TrimPrefix(servers[0].url, "http://"), "SERVER_2=" + strings.TrimPrefix(servers[1].url, "http://")}
	startProxy(t, environ, "haproxy", "-db", "-f", proxyFiles+"haproxy.cfg")
	proxied := &proxied{t: t, url: "http://" + listen, client: &http.Client{Transport: &http.Transport{}}, direct: servers[1].url}
	proxied.use()

	if err := servers[0].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = servers[0].cmd.Wait()
	// No request fails, also before the check of HAProxy notices.
	for i := range 20 {
		if status, body := proxied.checkIn(fmt.Sprintf("%032d", i)); status != http.StatusOK {
			t.Fatalf("request %d after one server ended: %d %s", i, status, body)
		}
	}
}

// nginx and Caddy, with the files of scripts/packaging/proxy, pass requests and websockets with TLS.
func TestProxiesOfOneMachine(t *testing.T) {
	certificate, key := writeCertificate(t, t.TempDir(), 1)
	for _, c := range []struct {
		program, file string
		start         func(t *testing.T, config, listen string)
	}{
		{"nginx", "nginx.conf", func(t *testing.T, config, listen string) {
			t.Helper()
			config = strings.NewReplacer("listen 443 ssl", "listen "+listen+" ssl", "/etc/nginx/updates.example.com.pem", certificate, "/etc/nginx/updates.example.com.key", key).Replace(config)
			dir := t.TempDir()
			var temporary strings.Builder
			for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
				fmt.Fprintf(&temporary, "%s_temp_path %s;\n", name, filepath.Join(dir, name))
			}
			// What Debian's nginx.conf has around a site. As root its workers are others, which may not write here.
			user := ""
			if os.Getuid() == 0 {
				user = "user root;\n"
			}
			config = user + "daemon off;\npid " + dir + "/pid;\nevents {}\nhttp {\naccess_log off;\n" + temporary.String() + config + "}\n"
			startProxy(t, nil, "nginx", "-e", "stderr", "-c", writeConfig(t, config))
		}},
		{"caddy", "Caddyfile", func(t *testing.T, config, listen string) {
			t.Helper()
			config = strings.Replace(config, "updates.example.com {", "{\n\tadmin off\n\tauto_https disable_redirects\n}\nhttps://"+listen+" {\n\ttls "+certificate+" "+key, 1)
			home := t.TempDir()
			startProxy(t, []string{"HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home}, "caddy", "run", "--adapter", "caddyfile", "--config", writeConfig(t, config))
		}},
	} {
		t.Run(c.program, func(t *testing.T) {
			var trusted prefixes
			if err := trusted.Set("127.0.0.1"); err != nil {
				t.Fatal(err)
			}
			p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: t.TempDir(), TrustedProxies: trusted}, discard(), time.Now)
			if err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Close() }()
			text, err := os.ReadFile(proxyFiles + c.file)
			if err != nil {
				t.Fatal(err)
			}
			server := regexp.MustCompile(`(server|reverse_proxy) 127\.0\.0\.1:8000\b`)
			if len(server.FindAll(text, -1)) != 1 {
				t.Fatalf("%s does not name the server's address once", c.file)
			}
			listen := freeAddress(t)
			c.start(t, server.ReplaceAllString(string(text), "$1 "+strings.TrimPrefix(p.URL(), "http://")), listen)
			client, err := clientOf(certificate)
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			(&proxied{t: t, url: "https://" + listen, client: client, direct: p.URL()}).use()
		})
	}
}

// proxied is a server behind a proxy.
type proxied struct {
	t           *testing.T
	url, direct string // of the proxy and of a server
	client      *http.Client
}

// use sends what machines and dashboards send.
func (p *proxied) use() {
	t := p.t
	t.Helper()
	eventually(t, "the proxy passes a request", func() bool {
		resp, err := p.client.Get(p.url + "/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	const machine = "0123456789abcdef0123456789abcdef"
	status, body := p.checkIn(machine)
	if status != http.StatusOK || !strings.Contains(body, "<updatecheck") {
		t.Errorf("a machine is answered %d %s", status, body)
	}
	// A client cannot make up its address.
	eventually(t, "the machine has the address that the proxy saw", func() bool {
		var data struct{ InstanceByMachineID *struct{ Address string } }
		graphql(t, p.direct, `query($m: String!) { instanceByMachineId(applicationId: "e96281a6-d1af-4bde-9a0a-97b76e56dc57", machineId: $m) { address } }`, map[string]any{"m": machine}, &data)
		return data.InstanceByMachineID != nil && data.InstanceByMachineID.Address == "127.0.0.1"
	})

	transport := p.client.Transport.(*http.Transport)
	dialer := &websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, TLSClientConfig: transport.TLSClientConfig, HandshakeTimeout: 30 * time.Second}
	// The server compares Origin with Host and the scheme that the proxy reports.
	header := http.Header{"Origin": {p.url}, "Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("admin:admin"))}}
	conn, resp, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(p.url, "http")+"/graphql", header)
	if err != nil {
		t.Fatalf("websocket: %v %+v", err, resp)
	}
	defer func() { _ = conn.Close() }()
	_ = resp.Body.Close()
	if err := conn.WriteJSON(map[string]any{"type": "connection_init"}); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var answer struct{ Type string }
	if err := conn.ReadJSON(&answer); err != nil || answer.Type != "connection_ack" {
		t.Errorf("websocket: %+v %v", answer, err)
	}
}

// checkIn sends the request of a machine that makes up an address.
func (p *proxied) checkIn(machine string) (int, string) {
	p.t.Helper()
	request := `<request protocol="3.0"><app appid="{e96281a6-d1af-4bde-9a0a-97b76e56dc57}" version="1.0.0" track="stable" board="amd64-usr" machineid="` + machine + `"><updatecheck/></app></request>`
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/v1/update/", strings.NewReader(request))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// startProxy runs a proxy of this machine until the end of the test. Debian has some in
// folders that only root searches.
func startProxy(t *testing.T, environ []string, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = filepath.Join("/usr/sbin", name)
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%s is missing: run scripts/install-deps.sh %s", name, name)
		}
	}
	var log bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append([]string{"PATH=" + os.Getenv("PATH")}, environ...), &log, &log
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A killed nginx would leave its workers, which keep the pipe of the log open.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, log.String())
		}
	})
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
