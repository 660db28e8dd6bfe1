"""The playground: one local page on which to sign in, break something, and watch what Entra makes of it.

Reading order: what can be chosen (``trouble``, ``choice``), what answers (``bad_endpoint``, ``app_files``,
``ground``), one sign-in played (``stage``, ``played``), what of it is shown (``timing``, ``token_rows``, ``readable``,
``sign_in_view``, ``home_view``), and the page that shows it to nobody else (``guard``, ``pages``, ``server``).
"""
