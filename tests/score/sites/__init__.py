"""One site's settings for each target. They differ in nothing but what the target needs."""
