package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/failover"
)

// operations is the house as the admin server operates it. It is safe for
// concurrent use, once the house is built.
type operations struct{ *house }

var _ admin.Operations = operations{}

// shownPlan is a plan as the admin server shows it.
type shownPlan struct {
	Refusal string `json:"refusal,omitempty"`
	Plan    string `json:"plan"`
}

// shownProblem is a problem as the admin server shows it.
type shownProblem struct {
	Kind        string   `json:"kind"`
	Node        string   `json:"node,omitempty"`
	Priority    string   `json:"priority"`
	Description string   `json:"description"`
	Asks        string   `json:"asks"`
	Evidence    []string `json:"evidence"`
}

// Operate implements admin.Operations.
func (o operations) Operate(ctx context.Context, asked admin.Operation) (any, error) {
	kind, carryOut := failover.RecoverySwitchover, o.controller.Switchover
	if asked.Kind == failover.RecoveryFailover.String() {
		kind, carryOut = failover.RecoveryFailover, o.controller.Failover
	}
	order := failover.Order{Given: true, To: asked.To, Reason: asked.Reason, Force: asked.Force}
	if asked.DryRun {
		plan := o.controller.DryRun(kind, order)
		return shownPlan{Refusal: plan.Refusal, Plan: plan.Text()}, nil
	}
	incident, err := carryOut(ctx, order)
	if errors.Is(err, failover.ErrRefused) {
		return nil, fmt.Errorf("%w: %w", admin.ErrRefused, err)
	}
	if err != nil {
		return nil, err
	}
	return incident, nil
}

// Incidents implements admin.Operations.
func (o operations) Incidents() any {
	if all := o.controller.Incidents(); all != nil {
		return all
	}
	return []failover.Incident{}
}

// Problems implements admin.Operations.
func (o operations) Problems() any {
	out := []shownProblem{}
	for _, p := range o.controller.Problems() {
		d := p.Kind.Definition()
		out = append(out, shownProblem{
			Kind: p.Kind.String(), Node: p.Node, Priority: d.Priority.String(),
			Description: d.Description, Asks: d.Asks.String(), Evidence: p.Evidence,
		})
	}
	return out
}

// SetNode implements admin.Operations.
func (o operations) SetNode(w admin.NodeWish) error {
	if err := o.registry.Set(w.Node, w.Drain, w.Maintenance); err != nil {
		return fmt.Errorf("%w: %w", admin.ErrRefused, err)
	}
	o.log.Info("node set by an operator", "node", w.Node, "drain", w.Drain, "maintenance", w.Maintenance)
	return nil
}
