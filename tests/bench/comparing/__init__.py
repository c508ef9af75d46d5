"""What tests/bench/compare is made of. tests/bench/README.md tells the method."""
