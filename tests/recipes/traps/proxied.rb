# Stubs without options. usage: proxied.rb TARGET...
require 'grpc'

ARGV.each do |target|
  stub = GRPC::ClientStub.new(target, :this_channel_is_insecure)
  stub.request_response('/shop.Orders/Get', 'order 42', :itself.to_proc, :itself.to_proc,
                        deadline: Time.now + 10)
  puts 'OK'
rescue GRPC::BadStatus => e
  puts e.class.name.split('::').last.upcase
ensure
  $stdout.flush
end
