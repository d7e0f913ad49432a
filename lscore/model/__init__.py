"""What has a loss surface: activations, losses, networks, risks, torch modules."""
