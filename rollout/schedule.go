package rollout

// Schedule is a compiled policy; see Compile.
type Schedule struct{ policy Policy }
