"""What adapters on an SQLite file share: its transactions, its errors, and news of its changes."""
