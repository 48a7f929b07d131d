package config

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/admin"
)

// Admin is the address for people, programs and monitoring, and who may call
// there.
type Admin struct {
	Listen       string       `yaml:"listen"`
	Account      AdminAccount `yaml:"account"`
	OpenLoopback bool         `yaml:"open_loopback" reload:"live"`
	Tokens       []Token      `yaml:"tokens"`
	Origins      []string     `yaml:"origins" reload:"live"`
	Hosts        []string     `yaml:"hosts" reload:"live"`
	TLS          AdminTLS     `yaml:"tls"`
	MaxBody      Size         `yaml:"max_body" reload:"live"`
	Timeout      Duration     `yaml:"timeout" reload:"live"`
	Rate         int          `yaml:"rate" reload:"live"`
}

// AdminAccount is what the data calls log in with, through the proxy.
type AdminAccount struct {
	User     string `yaml:"user" reload:"live"`
	Password `yaml:",inline"`
}

// Token is a caller's, known here by its hash.
type Token struct {
	Name string `yaml:"name"`
	Role string `yaml:"role" oneof:"read write operate" reload:"live"`
	Hash string `yaml:"hash" secret:"true" reload:"live"`
}

// AdminTLS is the certificate that callers are shown; without one they are
// talked to without TLS.
type AdminTLS struct {
	Certificate string `yaml:"certificate" reload:"live"`
	Key         string `yaml:"key" reload:"live"`
}

func defaultAdmin() Admin {
	return Admin{
		Listen: "127.0.0.1:8001", MaxBody: admin.DefaultBodyLimit, Timeout: Duration(admin.DefaultTimeout), Rate: admin.DefaultRate,
	}
}

// AdminConfig returns what the room of that name is to know.
func (f *File) AdminConfig() admin.Config {
	c := admin.Config{
		Listen: f.Admin.Listen, Account: admin.Account{User: f.Admin.Account.User, Password: f.Admin.Account.Value()},
		Encrypt: f.Proxy.TLS.Mode == "required", OpenLoopback: f.Admin.OpenLoopback, Origins: f.Admin.Origins, Hosts: f.Admin.Hosts,
		BodyLimit: int64(f.Admin.MaxBody), Timeout: time.Duration(f.Admin.Timeout), Rate: f.Admin.Rate,
		Consistency: f.Proxy.Consistency, AuditFile: filepath.Join(f.StateDir, "audit.log"), OperationsFile: filepath.Join(f.StateDir, "operations.json"),
	}
	c.NodeTLS, c.NodeTLSOptional = f.nodeTLS, f.NodeTLS.Mode == "preferred"
	for _, node := range f.Nodes {
		if node.REST != "" {
			c.Nodes = append(c.Nodes, admin.NodeAddress{Name: node.Name, Listen: node.REST})
		}
	}
	for _, t := range f.Admin.Tokens {
		token := admin.Token{Name: t.Name}
		token.Role, _ = admin.ParseRole(t.Role) // the decoder
		token.Hash, _ = parseTokenHash(t.Hash)  // checked both
		c.Tokens = append(c.Tokens, token)
	}
	if f.adminServed != nil {
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*f.adminServed}, NextProtos: []string{"http/1.1"}}
	}
	return c
}

// parseTokenHash takes what sha256sum prints of a token.
func parseTokenHash(text string) (hash [sha256.Size]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(hash) {
		return hash, fmt.Errorf("is not the 64 hexadecimal digits of a SHA-256: printf %%s TOKEN | sha256sum")
	}
	return [sha256.Size]byte(raw), nil
}

func checkAdmin(f *File) (problems Problems) {
	a := &f.Admin
	problems = f.oneSecret("admin.account", a.Account.Password, 0)
	if a.Account.User == "" && a.Account.Password != (Password{}) {
		problems = append(problems, f.problem("admin.account.user", "is missing: name the account that the data calls use"))
	}
	if (a.TLS.Certificate == "") != (a.TLS.Key == "") {
		problems = append(problems, f.problem("admin.tls", "certificate and key go together: name both, or neither"))
	}
	if a.MaxBody < 1<<10 || a.MaxBody > 1<<30 {
		problems = append(problems, f.problem("admin.max_body", "%s is not between 1KB and 1GB", a.MaxBody))
	}
	if a.Timeout < Duration(100*time.Millisecond) {
		problems = append(problems, f.problem("admin.timeout", "%s is less than 100ms", a.Timeout))
	}
	if a.Rate < 0 || a.Rate > 1<<20 {
		problems = append(problems, f.problem("admin.rate", "%d is neither 0 (no limit) nor at most %d", a.Rate, 1<<20))
	}
	for i, origin := range a.Origins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			problems = append(problems, f.problem(fmt.Sprintf("admin.origins[%d]", i), "%q is not scheme://host or scheme://host:port", origin))
		}
	}
	for i, host := range a.Hosts {
		if host == "" || strings.ContainsAny(host, ":/ ") {
			problems = append(problems, f.problem(fmt.Sprintf("admin.hosts[%d]", i), "%q is not a name without a port", host))
		}
	}
	return append(problems, checkTokens(f)...)
}

func checkTokens(f *File) (problems Problems) {
	names := map[string]int{}
	for i, token := range f.Admin.Tokens {
		at := fmt.Sprintf("admin.tokens[%d]", i)
		if token.Name == "" {
			problems = append(problems, f.problem(at+".name", "is missing"))
		} else if first, again := names[token.Name]; again {
			problems = append(problems, f.problem(at+".name", "%q is already the name of admin.tokens[%d]", token.Name, first))
		}
		names[token.Name] = i
		if token.Role == "" {
			problems = append(problems, f.problem(at+".role", "is missing: read, write or operate"))
		}
		if _, err := parseTokenHash(token.Hash); err != nil {
			problems = append(problems, f.problem(at+".hash", "%v", err))
		}
	}
	return problems
}

// loadAdminCertificate reads what callers are shown; nil where none is named.
func (f *File) loadAdminCertificate() (*tls.Certificate, error) {
	if f.Admin.TLS.Certificate == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(f.Admin.TLS.Certificate, f.Admin.TLS.Key)
	if err != nil {
		return nil, err
	}
	return &certificate, nil
}

// warnAdmin warns of what lets more in than one may think.
func (f *File) warnAdmin() {
	if f.Admin.OpenLoopback {
		f.warnings = append(f.warnings, "admin.open_loopback lets everybody on this machine change rows, tables and the cluster without a token")
	}
	if len(f.Admin.Tokens) == 0 || f.Admin.TLS.Certificate != "" {
		return
	}
	if reachable(f.Admin.Listen) {
		f.warnings = append(f.warnings, "admin.listen is reached from elsewhere and admin.tls names no certificate: tokens cross the network in clear")
	}
	for _, node := range f.Nodes {
		if node.REST != "" && reachable(node.REST) {
			f.warnings = append(f.warnings, "rest of node "+node.Name+" is reached from elsewhere and admin.tls names no certificate: tokens cross the network in clear")
		}
	}
}

// reachable reports whether an address that was checked may be reached from
// other machines.
func reachable(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return host != "localhost" && (ip == nil || !ip.IsLoopback())
}
