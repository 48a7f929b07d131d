package main

import (
	"io"
	"log/slog"

	"github.com/bellwether-db/bellwether/config"
)

// newLogger makes the logger that a configuration asks for. A reload changes
// level.
func newLogger(c config.Log, level *slog.LevelVar, out io.Writer) *slog.Logger {
	level.Set(c.Level)
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
