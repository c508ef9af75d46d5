# gunicorn --chdir deploy/recipes/python orders:application; $WEB_CONCURRENCY says how many workers.
preload_app = True  # the application's pages are shared by all workers


def post_fork(server, worker):
    import orders

    orders.connect()
