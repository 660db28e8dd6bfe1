"""The presentation of the playground: values for the templates in this folder."""
