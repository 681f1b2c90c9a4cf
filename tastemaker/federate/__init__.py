"""Train where the data lives: federated learning."""
