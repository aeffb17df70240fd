"""What is done for whoever uses the interface."""
