package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// caller is who makes a request.
type caller struct {
	name  string // the token's, or "loopback"
	role  Role
	from  string // its address, without the port
	token bool   // it has shown a token
}

// caller returns who makes a request, or why that is nobody. The token of
// state_dir is the operator's.
func (s *Server) caller(r *http.Request) (caller, *problem) {
	config := s.settings()
	who := caller{from: remote(r)}
	header := r.Header.Get("Authorization")
	if header == "" {
		if config.OpenLoopback && local(r) {
			who.name, who.role = "loopback", RoleOperate
			return who, nil
		}
		return who, unauthorized("this call wants a token: Authorization: Bearer TOKEN")
	}
	text, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return who, unauthorized("the header is not: Authorization: Bearer TOKEN")
	}
	hash := sha256.Sum256([]byte(strings.TrimSpace(text)))
	own := sha256.Sum256([]byte(s.parts.Token))
	if s.parts.Token != "" && subtle.ConstantTimeCompare(hash[:], own[:]) == 1 {
		who.name, who.role, who.token = "operator", RoleOperate, true
		return who, nil
	}
	for _, t := range config.Tokens {
		if subtle.ConstantTimeCompare(hash[:], t.Hash[:]) == 1 {
			who.name, who.role, who.token = t.Name, t.Role, true
		}
	}
	if !who.token {
		return who, unauthorized("the token is not known here")
	}
	return who, nil
}

func unauthorized(detail string) *problem {
	return &problem{
		Type: kindToken, Title: "not authorized", Status: http.StatusUnauthorized, Detail: detail,
		Remedy: "tokens stand in the configuration under admin.tokens; the operator's is in state_dir/admin.token",
	}
}

// remote is the caller's address without the port.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// local reports whether the caller itself is on this machine: what a proxy
// here forwards is from elsewhere.
func local(r *http.Request) bool {
	for _, forwarded := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(forwarded) != "" {
			return false
		}
	}
	ip := net.ParseIP(remote(r))
	return ip != nil && ip.IsLoopback()
}
