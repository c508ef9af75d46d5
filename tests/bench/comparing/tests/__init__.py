"""Tests of the package: fed with text and figures, none starts a proxy but compare_smoke_test."""
