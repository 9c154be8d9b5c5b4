"""Who inside may talk to whom outside, and the other way round: policies, switches, routes and partner types."""
