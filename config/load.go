package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads, checks and completes the configuration in a file: relative
// paths in it are taken from the file's folder, and secrets are read. The
// error is of type Problems where the content is to blame.
func Load(path string) (*File, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Read(path, source)
}

// Read is Load for a text that stands, or is to stand, in the file.
func Read(path string, source []byte) (*File, error) {
	f, problems := parse(path, source)
	if len(problems) == 0 {
		problems = f.complete()
	}
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	return f, nil
}

// parse decodes and checks a configuration without touching another file.
func parse(path string, source []byte) (*File, Problems) {
	f := defaults()
	d := decoder{file: path}
	d.decode(source, f)
	f.path, f.lines, f.source = path, d.lines, slices.Clone(source)
	problems := d.problems
	// A file that could not be read as meant would only be blamed twice.
	if len(problems) == 0 {
		problems = f.check()
	}
	return f, problems
}

// complete makes paths absolute and reads the secrets.
func (f *File) complete() Problems {
	folder, err := filepath.Abs(filepath.Dir(f.path))
	if err != nil {
		return Problems{{File: f.path, Text: fmt.Sprintf("find the file's folder: %v", err)}}
	}
	for _, path := range []*string{&f.Admin.TLS.Certificate, &f.Admin.TLS.Key, &f.StateDir, &f.NodeTLS.CA, &f.Proxy.TLS.Certificate, &f.Proxy.TLS.Key, &f.Replication.Log.Dir, &f.Replication.Log.KeyFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
	var problems Problems
	inline := f.secret("operator", &f.Operator.Password, folder, &problems)
	inline = f.secret("replication.account", &f.Replication.Account.Password, folder, &problems) || inline
	inline = f.secret("admin.account", &f.Admin.Account.Password, folder, &problems) || inline
	for i := range f.Users {
		inline = f.secret(fmt.Sprintf("users[%d]", i), &f.Users[i].Password, folder, &problems) || inline
	}
	if inline {
		f.warnExposed()
	}
	f.warnAdmin()
	if f.nodeTLS, err = f.loadNodeTLS(); err != nil {
		problems = append(problems, f.problem("node_tls.ca", "%v", err))
	}
	if f.served, err = f.loadCertificate(); err != nil {
		problems = append(problems, f.problem("proxy.tls.certificate", "%v", err))
	}
	if f.adminServed, err = f.loadAdminCertificate(); err != nil {
		problems = append(problems, f.problem("admin.tls.certificate", "%v", err))
	}
	if f.Replication.Log.key, err = f.loadKey(); err != nil {
		problems = append(problems, f.problem("replication.stored_log.key_file", "%v", err))
	}
	return problems
}

// secret reads one secret and reports whether it stands in the file itself.
func (f *File) secret(path string, p *Password, folder string, problems *Problems) bool {
	var err error
	switch {
	case p.File != "":
		path += ".password_file"
		if !filepath.IsAbs(p.File) {
			p.File = filepath.Join(folder, p.File)
		}
		p.value, err = readSecret(p.File)
	case p.Env != "":
		path += ".password_env"
		value, ok := os.LookupEnv(p.Env)
		if p.value = value; !ok {
			err = fmt.Errorf("the environment has no variable %s", p.Env)
		}
	default:
		p.value = p.Inline
	}
	if err != nil {
		*problems = append(*problems, f.problem(path, "%v", err))
	}
	return p.Inline != ""
}

// readSecret returns a file's content without the line's end that editors add.
func readSecret(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(content), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return secret, nil
}

// warnExposed warns of passwords in a file that other accounts may read.
func (f *File) warnExposed() {
	info, err := os.Stat(f.path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		f.warnings = append(f.warnings, fmt.Sprintf(
			"%s holds a password and others may read it (mode %04o): chmod 600 it, or use password_file", f.path, info.Mode().Perm()))
	}
}
