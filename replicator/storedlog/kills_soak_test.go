//go:build soak

package storedlog

// kills is how often TestKills kills.
const kills = 200
