"""Percentiles, medians, spread, ratios."""

import math


def percentile(ordered, share):
    """The smallest of the sorted values that at least `share` of them do not exceed."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values):
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def spread(values):
    """Smallest and largest."""
    return (min(values), max(values)) if values else None


def ratio(value, base):
    """value / base, or None where one is missing or the base is zero."""
    if value is None or not base:
        return None
    return value / base
