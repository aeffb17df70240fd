"""What people and workers do with documents."""
