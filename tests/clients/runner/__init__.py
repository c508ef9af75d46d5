"""What tests/clients/run is made of."""
