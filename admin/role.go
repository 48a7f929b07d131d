package admin

import "fmt"

// Role is what a caller may do. Each includes those before it.
type Role uint8

// The roles.
const (
	RoleUnknown Role = iota
	RoleRead         // reads rows, and what the cluster is
	RoleWrite        // changes rows, tables and databases as well
	RoleOperate      // changes the cluster as well
)

// String returns the role in lower case.
func (r Role) String() string { return [...]string{"unknown", "read", "write", "operate"}[min(r, 3)] }

// ParseRole returns the role of a name.
func ParseRole(name string) (Role, error) {
	for _, r := range []Role{RoleRead, RoleWrite, RoleOperate} {
		if r.String() == name {
			return r, nil
		}
	}
	return RoleUnknown, fmt.Errorf("%q is not one of read, write, operate", name)
}
