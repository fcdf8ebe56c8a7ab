"""Several anchors for one caption: generated, checked, the best one edited, and one chosen."""
