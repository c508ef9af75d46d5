# cd deploy/recipes/ruby && puma --config puma.rb; $WEB_CONCURRENCY says how many workers.
threads 2, 2
preload_app! # the application's pages are shared by all workers

on_worker_boot do
  Orders.connect
end
