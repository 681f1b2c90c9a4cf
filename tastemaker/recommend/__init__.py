"""What next? Models that rank a catalogue for a user."""
