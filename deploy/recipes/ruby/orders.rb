# A Rack application whose workers call the orders service.
require 'grpc'

module Orders
  # Once in each worker, after the fork: puma.rb calls it.
  def self.connect
    @stub = GRPC::ClientStub.new(ENV.fetch('ORDERS_GRPC_TARGET'), :this_channel_is_insecure,
                                 channel_args: { 'grpc.enable_http_proxy' => 0 })
  end

  def self.call(_env)
    # In yours: Shop::Orders::Stub, which has the same arguments, and its get.
    order = @stub.request_response('/shop.Orders/Get', 'order 42', :itself.to_proc, :itself.to_proc,
                                   deadline: Time.now + 20)
    [200, { 'Content-Type' => 'text/plain' }, ["worker #{Process.pid}: #{order}\n"]]
  end
end
