package playground

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// templateLayout is raised when a template's content changes, so that older
// ones are not used.
const templateLayout = "v2"

// template returns a data directory of a cleanly stopped, fresh server of this
// version, initialised on first use (in several processes at once: by one).
func (in Install) template(ctx context.Context, f *forker) (string, error) {
	dir, err := templateFolder()
	if err != nil {
		return "", err
	}
	final := filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%d", in.Flavour, in.Version, templateLayout, os.Geteuid()))
	unlock, err := lockFile(final + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	work := final + ".new"
	if err := in.initialise(ctx, f, work); err != nil {
		return "", fmt.Errorf("initialise %s %s: %w", in.Flavour, in.Version, err)
	}
	return final, os.Rename(work, final)
}

// templateFolder is in the servers' cache, or, where that cannot be written,
// in the temporary folder.
func templateFolder() (string, error) {
	if cache, err := CacheDir(); err == nil {
		dir := filepath.Join(cache, "templates")
		if os.MkdirAll(dir, 0o700) == nil && unix.Access(dir, unix.W_OK) == nil {
			return dir, nil
		}
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("bellwether-templates-%d", os.Geteuid()))
	return dir, os.MkdirAll(dir, 0o700)
}

// lockFile waits for an exclusive lock that ends with unlock or this process.
func lockFile(path string) (unlock func(), err error) { return flock(path, unix.LOCK_EX) }

// tryLock is lockFile, but for a lock held by another it fails with EWOULDBLOCK.
func tryLock(path string) (unlock func(), err error) { return flock(path, unix.LOCK_EX|unix.LOCK_NB) }

func flock(path string, how int) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), how); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func (in Install) initialise(ctx context.Context, f *forker, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	log := dir + ".log"
	var err error
	if in.Flavour == MariaDB {
		err = in.bootstrapMariaDB(ctx, f, dir, log)
	} else {
		args := append(in.baseArgs(dir), "--initialize-insecure", "--skip-log-bin", "--innodb-redo-log-capacity=8M", "--innodb-flush-log-at-trx-commit=0")
		err = f.run(ctx, in.Program, args, dir, log, nil)
	}
	if err != nil {
		return err
	}
	// A server makes its identity at its first start where it finds none.
	if err := os.Remove(filepath.Join(dir, "auto.cnf")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Remove(log)
}

// bootstrapMariaDB does what mariadb-install-db does, which itself cannot be
// run from a folder of its own: it feeds the system tables' SQL to the server.
func (in Install) bootstrapMariaDB(ctx context.Context, f *forker, dir, log string) error {
	script, err := in.bootstrapScript(dir + ".sql")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(script.Name()) }()
	defer func() { _ = script.Close() }()
	if err := os.Mkdir(filepath.Join(dir, "mysql"), 0o700); err != nil {
		return err
	}
	args := append(in.baseArgs(dir), "--bootstrap", "--skip-log-bin", "--log-warnings=0", "--enforce-storage-engine=",
		"--innodb-log-file-size=64M", "--innodb-flush-log-at-trx-commit=0", "--max-allowed-packet=8M", "--net-buffer-length=16K")
	return f.run(ctx, in.Program, args, dir, log, script)
}

// bootstrapScript joins the server's own SQL files; root@localhost has no
// password there.
func (in Install) bootstrapScript(path string) (*os.File, error) {
	script, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := in.writeBootstrap(script); err != nil {
		return nil, errors.Join(err, script.Close())
	}
	_, err = script.Seek(0, io.SeekStart)
	return script, err
}

func (in Install) writeBootstrap(w io.Writer) error {
	if _, err := io.WriteString(w, "create database if not exists mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n"); err != nil {
		return err
	}
	for _, name := range bootstrapFiles {
		text, err := os.ReadFile(in.shareFile(name))
		if err != nil {
			return fmt.Errorf("read the server's SQL: %w", err)
		}
		if _, err := w.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}

var bootstrapFiles = []string{
	"mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql",
	"maria_add_gis_sp_bootstrap.sql", "mysql_sys_schema.sql",
}

// shareFile prefers MariaDB's newer name of a file (11.x) to its older one.
func (in Install) shareFile(name string) string {
	newer := filepath.Join(in.Share, "mariadb"+name[len("mysql"):])
	if _, err := os.Stat(newer); err == nil && name[:5] == "mysql" {
		return newer
	}
	return filepath.Join(in.Share, name)
}
