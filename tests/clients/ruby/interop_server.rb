# frozen_string_literal: true

# gRPC's own interop server, on a free port of the loopback interface instead of a given port of all.
# Prints "listening PORT" once it can be dialled.

require_relative 'interop_gem'

module FreeLoopbackPort
  attr_reader :port

  def add_http2_port(_address, credentials)
    @port = super('127.0.0.1:0', credentials)
  end

  def run_till_terminated
    announcer = Thread.new do
      wait_till_running
      puts "listening #{port}"
      $stdout.flush
    end
    super
  ensure
    announcer&.join
  end
end
GRPC::RpcServer.prepend(FreeLoopbackPort)

ARGV.replace(%w[--port 0]) # it demands one
load interop_program('server.rb')
