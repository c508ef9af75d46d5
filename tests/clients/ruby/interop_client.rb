# frozen_string_literal: true

# gRPC's own interop client: its cases one after the other, in one process.
# usage: interop_client.rb HOST:PORT CASE...   Prints "ok CASE" or "FAIL CASE: why" for each case.

require_relative 'interop_gem'
load interop_program('client.rb')

# The compressed cases begin with a probe for a server that looks at the compressed flag and refuses a
# wrong one. The Ruby server looks at no flag (it has no way to), so the probe is left out here; what
# is compressed for the case must still arrive.
class NamedTests
  private

  def send_probe_for_compressed_request_support
    puts 'note: without its probe, which the Ruby server cannot answer: it sees no compressed flag'
  end
end

NOT_IN_THIS_CLIENT = <<~TEXT
  note: gRPC's Ruby client has no special_status_message, server_compressed_unary,
  note: server_compressed_streaming, rpc_soak, channel_soak, orca_per_rpc and orca_oob;
  note: of its own, the credentials' cases need Google's token servers and TLS.
TEXT

def run(host, port, name)
  options = Args.new.tap do |args|
    args.server_host = host
    args.server_port = port
    args.server_host_override = ''
    args.test_case = name
  end
  NamedTests.new(create_stub(options), options).public_send(name)
  puts "ok #{name}"
  true
rescue StandardError => e # a failed case must not stop the next one
  puts "FAIL #{name}: #{e.class}: #{e.message.inspect}"
  false
end

$stdout.sync = true
GRPC.logger.level = Logger::ERROR # it tells of every expected failure
abort 'usage: interop_client.rb HOST:PORT CASE...' if ARGV.size < 2
host, _, port = ARGV.shift.rpartition(':')
puts NOT_IN_THIS_CLIENT
exit ARGV.map { |name| run(host, port, name) }.all?
