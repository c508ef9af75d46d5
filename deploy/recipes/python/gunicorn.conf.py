# cd deploy/recipes/python && gunicorn orders:application; $WEB_CONCURRENCY says how many workers.
# gunicorn looks for this file where it is started: with --chdir alone it is not read.
preload_app = True  # the application's pages are shared by all workers


def post_fork(server, worker):
    import orders

    orders.connect()
