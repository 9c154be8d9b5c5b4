"""A fake federated domain under our control: its hosts, its streams, its dialback servers, and who lives there."""
