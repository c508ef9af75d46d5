"""What all tests of processes share. tests/README.md says what is where, and how it is imported."""
