"""The peers of the endpoint, each written as its documentation, or common practice, recommends."""
