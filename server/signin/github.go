package signin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

// GitHub configures sign-in with GitHub or GitHub Enterprise Server. Values of the rules are
// ORG/TEAM.
type GitHub struct {
	URL          string // "" for https://github.com
	ClientID     string
	ClientSecret string
	Rules        []Rule
}

const (
	githubURL    = "https://github.com"
	githubAPI    = "https://api.github.com"
	githubPath   = "/api/v3" // of the API of GitHub Enterprise Server
	teamsPerPage = 100       // GitHub's maximum
	// maxTeamPages limits the requests of a sign-in: a person in more teams than 1,000 is refused.
	maxTeamPages = 10
	// maxBody limits an answer; 100 teams take 200 kB.
	maxBody = 4 << 20
)

type gitHub struct {
	GitHub
	api    string
	client *http.Client
}

func newGitHub(o GitHub) (*gitHub, error) {
	o.URL = strings.TrimSuffix(cmp.Or(o.URL, githubURL), "/")
	api := o.URL + githubPath
	if o.URL == githubURL {
		api = githubAPI
	}
	client, err := httpClient(nil)
	return &gitHub{GitHub: o, api: api, client: client}, err
}

func (p *gitHub) ID() string   { return "github" }
func (p *gitHub) Name() string { return "GitHub" }

func (p *gitHub) Issuer() string { return "" }

// Mapping ignores case, as GitHub does in the names of organizations.
func (p *gitHub) Mapping() Mapping { return Mapping{Rules: p.Rules, IgnoreCase: true} }

func (p *gitHub) config(callback string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURL: callback, Scopes: []string{"read:org"},
		Endpoint: oauth2.Endpoint{
			AuthURL: p.URL + "/login/oauth/authorize", TokenURL: p.URL + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

func (p *gitHub) Begin(_ context.Context, a attempt, callback string) (string, error) {
	return p.config(callback).AuthCodeURL(a.State, oauth2.S256ChallengeOption(a.Verifier)), nil
}

func (p *gitHub) Finish(ctx context.Context, a attempt, callback, code string) (person, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.client)
	token, err := p.config(callback).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return person{}, refusal(err)
	}
	return p.person(ctx, token.AccessToken)
}

// Again reads the person with the same token, which GitHub refuses once it was revoked.
func (p *gitHub) Again(ctx context.Context, who person) (person, error) {
	now, err := p.person(ctx, who.secret)
	if err == nil && now.Subject != who.Subject {
		err = fmt.Errorf("%w: the token is that of another person", errRefused)
	}
	return now, err
}

// EndURL returns "": GitHub has no page that ends a session.
func (p *gitHub) EndURL(person) string { return "" }

func (p *gitHub) person(ctx context.Context, token string) (person, error) {
	var user struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
	}
	if _, err := p.get(ctx, token, "/user", &user); err != nil {
		return person{}, err
	}
	if user.ID == 0 || user.Login == "" {
		return person{}, fmt.Errorf("%w: it has no user", errUntrusted)
	}
	who := person{Issuer: p.URL, Subject: strconv.FormatInt(user.ID, 10), Username: user.Login, Known: true, secret: token}
	for page := 1; ; page++ {
		var teams []struct {
			Slug         string `json:"slug"`
			Organization struct {
				Login string `json:"login"`
			} `json:"organization"`
		}
		more, err := p.get(ctx, token, fmt.Sprintf("/user/teams?per_page=%d&page=%d", teamsPerPage, page), &teams)
		if err != nil {
			return person{}, err
		}
		for _, t := range teams {
			who.Values = append(who.Values, t.Organization.Login+"/"+t.Slug)
		}
		if !more {
			return who, nil
		}
		if page == maxTeamPages {
			return person{}, errors.New("the user is in too many teams")
		}
	}
}

// get reads a resource of the API. more reports whether there is a further page.
func (p *gitHub) get(ctx context.Context, token, path string, into any) (more bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.api+path, http.NoBody)
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	resp, err := p.client.Do(req)
	if err != nil {
		return false, fmt.Errorf("ask the API of GitHub: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return false, fmt.Errorf("%w: the token is not valid any more", errRefused)
	default: // 403 is also the answer to too many requests
		return false, fmt.Errorf("the API of GitHub answered %s", resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(into); err != nil {
		return false, fmt.Errorf("read the answer of GitHub: %w", err)
	}
	return strings.Contains(resp.Header.Get("Link"), `rel="next"`), nil
}

// checkURL returns an error unless a URL of a provider is https, or http on this machine.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%q is not a URL such as https://id.example.com", text)
	case u.Scheme == "https", u.Scheme == "http" && isLocal(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q must begin with https://, except on localhost", text)
}

func isLocal(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}
