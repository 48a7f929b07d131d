// Package deploy holds what runs Bellwether elsewhere: Grafana's dashboard and
// Prometheus' alerts, a unit for systemd, a container, and Kubernetes. It has no
// code but the tests that hold these files against the program.
package deploy
