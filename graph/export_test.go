package graph

// Pace is the shortest time between two messages of a subscription.
const Pace = pace
