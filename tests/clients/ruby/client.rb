# frozen_string_literal: true

# The foreign client in Ruby. usage: client.rb TARGET [CASE...] | client.rb TARGET hold RPCS
# TARGET is HOST:PORT or unix:PATH. Prints "ok CASE" or "FAIL CASE: why" for each case.

require_relative 'ending_cases'
require_relative 'message_cases'
require_relative 'metadata_cases'
require_relative 'retry_cases'
require_relative 'tutorial_cases'

CASES = {
  TutorialCases => %i[hello_world route_guide multiplex],
  MessageCases => %i[empty_unary large_unary message_5mib empty_stream ping_pong
                     half_close_then_long_stream many_parallel],
  MetadataCases => %i[headers_before_message metadata_roundtrip authority_seen_by_server],
  EndingCases => %i[status_code_and_message status_details trailers_only_error unimplemented_method
                    deadline_seen_by_server deadline_exceeded cancel_mid_stream early_finish],
  RetryCases => %i[retry_trailers_only retry_until_attempts_are_used_up retry_after_pushback
                   retry_forbidden_by_pushback no_retry_after_headers],
}.flat_map { |home, names| names.map { |name| [name.to_s, home.method(name)] } }.to_h

# Makes RPCs on its one connection, says so, keeps the connection until stdin ends, and shows that
# it still serves.
def hold(client, rpcs)
  rpcs.times { |i| CASES.fetch(i.odd? ? 'ping_pong' : 'hello_world').call(client) }
  puts 'holding'
  $stdin.read
  CASES.fetch('hello_world').call(client)
end

def run(name)
  yield
  puts "ok #{name}"
  true
rescue StandardError => e # a failed case must not stop the next one
  puts "FAIL #{name}: #{e.is_a?(CheckFailed) ? '' : "#{e.class}: "}#{e.message.inspect}"
  false
end

def main(target, *wanted)
  client = Client.new(target)
  return run('hold') { hold(client, Integer(wanted[1])) } if wanted[0] == 'hold'

  unknown = wanted - CASES.keys
  abort "no such case: #{unknown}" unless unknown.empty?
  results = (wanted.empty? ? CASES.keys : wanted).map do |name|
    run(name) { CASES.fetch(name).call(client) }
  end
  results.all?
end

$stdout.sync = true
Thread.report_on_exception = false # every thread of a case is joined, or its failure is the status's
abort 'usage: client.rb TARGET [CASE...] | client.rb TARGET hold RPCS' if ARGV.empty?
exit main(*ARGV)
