package admin

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// foreign says why a request is refused as another page's, nil where it is
// not. A browser adds these headers by itself, and no page can take them away.
func (s *Server) foreign(r *http.Request) *problem {
	if origin := r.Header.Get("Origin"); origin != "" {
		if s.allowed(origin) || sameHost(origin, r.Host) {
			return nil
		}
		return foreign("a page of " + origin + " makes this request")
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "same-origin", "none":
		return nil
	case "":
	default:
		return foreign("a page of another origin makes this request (Sec-Fetch-Site: " + site + ")")
	}
	if referer := r.Header.Get("Referer"); referer != "" && !sameHost(referer, r.Host) {
		return foreign("the request comes from " + referer)
	}
	return nil
}

func foreign(detail string) *problem {
	return &problem{
		Type: kindOrigin, Title: "another page's request", Status: http.StatusForbidden, Detail: detail,
		Remedy: "pages that may call stand in the configuration under admin.origins",
	}
}

func (s *Server) allowed(origin string) bool { return slices.Contains(s.settings().Origins, origin) }

// sameHost reports whether a page's address has the host and port that the
// request was sent to.
func sameHost(page, host string) bool {
	u, err := url.Parse(page)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// misdirected refuses names that are not this server's: a page may have its
// own name point here, and would then be of the same origin.
func (s *Server) misdirected(r *http.Request) *problem {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	switch {
	case host == "localhost", strings.HasSuffix(host, ".localhost"), net.ParseIP(host) != nil, host != "" && s.listensAs(host):
		return nil
	case slices.ContainsFunc(s.settings().Hosts, func(known string) bool { return strings.EqualFold(known, host) }):
		return nil
	}
	return &problem{
		Type: kindHost, Title: "not this server's name", Status: http.StatusMisdirectedRequest,
		Detail: "calls without a token name this server by localhost or an address, not " + r.Host,
		Remedy: "names that are this server's stand in the configuration under admin.hosts",
	}
}

// listensAs reports whether a name is that of an address which is listened on.
func (s *Server) listensAs(host string) bool {
	config := s.settings()
	is := func(address string) bool {
		name, _, err := net.SplitHostPort(address)
		return err == nil && strings.EqualFold(name, host)
	}
	return is(config.Listen) || slices.ContainsFunc(config.Nodes, func(n NodeAddress) bool { return is(n.Listen) })
}

// share tells the browser that an allowed page may read the answer.
func (s *Server) share(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); s.allowed(origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After, ETag, Location")
	}
}

// withPreflights answers a browser's question whether a page may call, and
// lets allowed pages read every answer.
func (s *Server) withPreflights(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.share(w, r)
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		if p := s.foreign(r); p != nil {
			p.Instance = r.URL.Path
			p.write(w)
			return
		}
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, If-Match, If-None-Match, Last-Event-ID")
		w.Header().Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	})
}
