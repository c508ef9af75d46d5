# A worker of a parent that has made a stub, and no call. usage: fork.rb TARGET
# Prints how a call of the worker on a new stub ends.
require 'grpc'

def connect
  GRPC::ClientStub.new(ARGV[0], :this_channel_is_insecure,
                       channel_args: { 'grpc.enable_http_proxy' => 0 })
end

connect
Process.wait(fork do
  connect.request_response('/shop.Orders/Get', 'order 42', :itself.to_proc, :itself.to_proc,
                           deadline: Time.now + 10)
  puts 'worker: OK'
rescue StandardError => e
  puts "worker: #{e.class}: #{e.message}"
ensure
  $stdout.flush
  exit!
end)
