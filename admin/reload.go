package admin

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// reload has the configuration read again. It is for whoever has the token.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || s.parts.Token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(s.parts.Token)) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		problem{
			Type: kindToken, Title: "not authorized", Status: http.StatusUnauthorized, Instance: r.URL.Path,
			Detail: "this call wants the operator's token: Authorization: Bearer TOKEN", Remedy: "it is in state_dir/admin.token",
		}.write(w)
		return
	}
	if err := s.parts.Reload(); err != nil {
		problem{Type: kindConflict, Title: "reload refused, nothing has changed", Status: http.StatusConflict, Detail: err.Error(), Instance: r.URL.Path}.write(w)
		return
	}
	writeText(w, "reloaded\n")
}
