"""The embedded gateway: edge proxy and front end. It knows nothing of worlds, scenarios or journals."""
