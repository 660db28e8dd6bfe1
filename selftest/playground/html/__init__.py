"""What the page of the playground shows, as data for its templates, which lie in this folder."""
